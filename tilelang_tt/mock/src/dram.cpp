#include "dram.h"

#include <algorithm>
#include <cstring>

#include "engine.h"
#include "tile.h"

namespace tt_mock {
namespace {

constexpr uint32_t face_side = tile_side / 2;
constexpr uint32_t face_elements = face_side * face_side;

// The element of row 0 and column 0 of a tile of the host's matrices.
uint8_t* corner(const TtMockBuffer& buffer, uint64_t page) {
  const TtMockMatrices& matrices = *buffer.matrices;
  const uint64_t tiles = uint64_t{matrices.row_tiles} * matrices.column_tiles;
  const uint64_t matrix = page / tiles;
  const uint64_t tile = page - matrix * tiles;
  const uint64_t row = tile / matrices.column_tiles;
  const uint64_t column = tile - row * matrices.column_tiles;
  return buffer.data + matrices.offsets[matrix] + int64_t(row * tile_side) * matrices.row_bytes +
         column * tile_side * matrices.element_bytes;
}

// Calls action(host bytes, offset in the page, length) for all rows of faces of a whole tile, in
// the order of the host's memory. The length is a constant, which makes copies of it moves.
template <uint32_t ElementBytes, typename Action>
void for_each_face_row(uint8_t* host, int64_t row_bytes, Action action) {
  constexpr uint32_t bytes = face_side * ElementBytes;
  for (uint32_t row = 0; row < tile_side; ++row, host += row_bytes) {
    const uint32_t face = row / face_side * 2;
    const uint32_t at = (face * face_elements + row % face_side * face_side) * ElementBytes;
    action(host, at, bytes);
    action(host + bytes, at + face_elements * ElementBytes, bytes);
  }
}

// The same for any part of a page.
template <typename Action>
void for_each_part(const TtMockBuffer& buffer, const DramPlace& place, uint32_t bytes,
                   Action action) {
  const TtMockMatrices& matrices = *buffer.matrices;
  uint8_t* const tile = corner(buffer, place.page);
  const uint32_t row_bytes = face_side * matrices.element_bytes;
  for (uint32_t at = place.offset; at < place.offset + bytes;) {
    const uint32_t face_row = at / row_bytes, inside = at % row_bytes;
    const uint32_t face = face_row / face_side;
    const uint32_t row = face / 2 * face_side + face_row % face_side;
    const uint32_t length = std::min(row_bytes - inside, place.offset + bytes - at);
    action(tile + row * matrices.row_bytes + face % 2 * row_bytes + inside, at - place.offset,
           length);
    at += length;
  }
}

template <typename Action>
void for_each_piece(const DramPlace& place, uint32_t bytes, Action action) {
  const TtMockBuffer& buffer = *run->dram[place.tensor].config;
  if (buffer.matrices == nullptr) {
    return action(buffer.data + place.page * buffer.page_bytes + place.offset, 0U, bytes);
  }
  const TtMockMatrices& matrices = *buffer.matrices;
  if (bytes != buffer.page_bytes) {
    return for_each_part(buffer, place, bytes, action);
  }
  uint8_t* const tile = corner(buffer, place.page);
  switch (matrices.element_bytes) {
    case 2:
      return for_each_face_row<2>(tile, matrices.row_bytes, action);
    case 4:
      return for_each_face_row<4>(tile, matrices.row_bytes, action);
    default:
      return for_each_part(buffer, place, bytes, action);
  }
}

}  // namespace

void dram_create() {
  const TtMockProgram& program = *run->program;
  const uint32_t alignment = program.device.dram_read_alignment;
  run->dram.resize(program.buffer_count);
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const TtMockBuffer& buffer = program.buffers[i];
    DramTensor& tensor = run->dram[i];
    tensor.config = &buffer;
    tensor.slot = Divisor((buffer.page_bytes + alignment - 1) / alignment * alignment);
    tensor.pages = buffer.places == nullptr ? buffer.bytes / buffer.page_bytes : 0;
  }
}

DramPlace dram_resolve(uint32_t bank, uint32_t address, uint32_t meant) {
  for (uint32_t i = 0; i < run->dram.size(); ++i) {
    const DramTensor& tensor = run->dram[i];
    const uint32_t from = address - tensor.config->address;
    const uint32_t row = tensor.slot.divide(from);
    const uint64_t page = uint64_t{row} * run->program->device.dram_banks + bank;
    if (address < tensor.config->address || page >= tensor.pages) {
      continue;
    }
    if (meant != 0 && meant != i + 1) {
      likely("the page index is beyond the tensor");
      fail("noc_out_of_bounds", -1, "a page of buffer %s is asked for that lies in buffer %s",
           run->dram[meant - 1].config->name, tensor.config->name);
    }
    return {i, page, from - row * tensor.slot.value()};
  }
  likely("the page index is beyond the tensor, or the base address is not the tensor's");
  fail("noc_out_of_bounds", -1, "no buffer has the address 0x%x of DRAM bank %u", address, bank);
}

uint32_t dram_tensor_from(uint32_t base) {
  for (uint32_t i = 0; i < run->dram.size(); ++i) {
    if (run->dram[i].config->address == base && run->dram[i].pages != 0) {
      return i + 1;
    }
  }
  return 0;
}

void dram_load(const DramPlace& place, uint8_t* to, uint32_t bytes) {
  for_each_piece(place, bytes, [to](const uint8_t* host, uint32_t at, uint32_t length) {
    memcpy(to + at, host, length);
  });
}

void dram_store(const DramPlace& place, const uint8_t* from, uint32_t bytes) {
  for_each_piece(place, bytes, [from](uint8_t* host, uint32_t at, uint32_t length) {
    memcpy(host, from + at, length);
  });
}

}  // namespace tt_mock
