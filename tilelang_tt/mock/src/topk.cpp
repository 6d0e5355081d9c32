// Sorting networks of the vector unit. A sequence is a column of two tiles: its position p is row
// p % 32 of the value tile p / 32; the index tiles two registers further take part in each exchange.
// The unit exchanges registers of four rows, four of which it can transpose. The network is followed
// exchange by exchange, because it decides where equal values go:
//
//     positions      0 1 2 3 ...                      all columns at once
//     phase 0        0>1 2<3 4>5 6<7 ...              pairs, in alternating directions
//     phase 1        0>2 1>3 4<6 5<7, then 0>1 2>3 4<5 6<7 ...
//     ...            until phase 5 has sorted 64
#define TT_MOCK_COMPUTE
#include <algorithm>

#include "sfpu.h"

namespace tt_mock {
namespace {

constexpr uint32_t positions = 64;
constexpr uint32_t registers = 4;  // of values; as many hold their indices
constexpr uint32_t register_rows = 4;
constexpr uint32_t column_groups = 4;  // a register has every other column of a face

// What the routines read and write, by position: rows of values and of indices.
struct Columns {
  Word* values[positions];
  Word* indices[positions];
};

// The order of the unit's comparison: sign and magnitude, so -0 is less than +0.
bool is_less(uint32_t a, uint32_t b) {
  const auto ordered = [](uint32_t bits) {
    return int32_t(bits ^ (uint32_t(int32_t(bits) >> 31) >> 1));
  };
  return ordered(a) < ordered(b);
}

// In which of its four rows an exchange leaves the smaller value in the second register.
using Rows = uint32_t;
constexpr Rows all_rows = 0b1111, rows_01 = 0b0011, rows_02 = 0b0101;

class SortingNetwork {
 public:
  SortingNetwork(const Columns& columns, SortTies ties) : columns_(columns), ties_(ties) {}

  // Loads the values from these four positions on, and from the three that lie `near`, `far` and
  // both behind them.
  void load(uint32_t base, uint32_t near, uint32_t far) {
    for (uint32_t row = 0; row < register_rows; ++row) {
      at_[0][row] = base + row;
      at_[1][row] = base + near + row;
      at_[2][row] = base + far + row;
      at_[3][row] = base + far + near + row;
    }
    used_rows_ = all_rows;
    slots_ += 4 * registers;  // values and indices, there and back
  }

  // Two registers of positions: the other two hold what is left of earlier ones.
  void load_two(uint32_t base, uint32_t far) {
    load(base, 0, far);
    for (uint32_t row = 0; row < register_rows; ++row) {
      at_[1][row] = at_[2][row];
    }
    slots_ -= 2 * registers;
  }

  void phase0() {
    transpose();
    exchange(0, 1, all_rows);
    exchange(3, 2, all_rows);
    transpose();
  }

  void phase1() {
    transpose();
    exchange(0, 2, rows_02);
    exchange(1, 3, rows_02);
    exchange(0, 1, rows_02);
    exchange(2, 3, rows_02);
    transpose();
  }

  void phase2() {
    exchange(0, 1, all_rows);
    if (ties_.by_index) {
      exchange(3, 2, all_rows);
    } else {  // not the same: equal values change places
      exchange(2, 3, all_rows);
      swap(2, 3);
    }
    transpose();
    exchange(0, 2, rows_01);
    exchange(1, 3, rows_01);
    exchange(0, 1, rows_01);
    exchange(2, 3, rows_01);
    transpose();
  }

  // Merges sixteen values, the last four steps of a phase.
  void sixteen(bool ascending) {
    reversed_ = ascending;
    slots_ += ascending ? 6 : 0;
    for (int half = 0; half < 2; ++half) {
      exchange(0, 2, all_rows);
      exchange(1, 3, all_rows);
      exchange(0, 1, all_rows);
      exchange(2, 3, all_rows);
      transpose();
    }
    reversed_ = false;
  }

  void step(bool ascending) {
    exchange(ascending ? 2 : 0, ascending ? 0 : 2, all_rows);
    exchange(ascending ? 3 : 1, ascending ? 1 : 3, all_rows);
  }

  void merge(bool smallest) { exchange(smallest ? 1 : 0, smallest ? 0 : 1, all_rows); }

  // After a transposition only the rows with what was loaded count.
  void use_rows(Rows rows) { used_rows_ = rows; }

  uint64_t slots() const { return slots_; }

 private:
  void transpose() {
    for (uint32_t i = 0; i < registers; ++i) {
      for (uint32_t j = 0; j < i; ++j) {
        std::swap(at_[i][j], at_[j][i]);
      }
    }
    ++slots_;
  }

  void swap(uint32_t c, uint32_t d) {
    for (uint32_t row = 0; row < register_rows; ++row) {
      std::swap_ranges(value(c, row), value(c, row) + tile_side, value(d, row));
      std::swap_ranges(index(c, row), index(c, row) + tile_side, index(d, row));
    }
    slots_ += 2;
  }

  // Register d gets the smaller value in `rows`, the larger one elsewhere, where equal values change
  // places. Reversed, the unit swaps where it would not have.
  void exchange(uint32_t c, uint32_t d, Rows rows) {
    for (uint32_t row = 0; row < register_rows; ++row) {
      if ((used_rows_ >> row & 1) != 0) {
        exchange_rows(row, c, d, (rows >> row & 1) != 0);
      }
    }
    slots_ += ties_.by_index ? 8 : 2;
  }

  void exchange_rows(uint32_t row, uint32_t c, uint32_t d, bool smaller) {
    Word* const first = value(c, row);
    Word* const second = value(d, row);
    Word* const first_index = index(c, row);
    Word* const second_index = index(d, row);
    const auto is_swapped = [=](uint32_t a, uint32_t b) {
      return (is_less(a, b) == smaller) != reversed_;
    };
    for (uint32_t i = 0; i < tile_side; ++i) {
      if (is_swapped(first[i], second[i])) {
        std::swap(first[i], second[i]);
        std::swap(first_index[i], second_index[i]);
      }
      if (ties_.by_index && first[i] == second[i]) {
        Word& a = ties_.descending ? second_index[i] : first_index[i];
        Word& b = ties_.descending ? first_index[i] : second_index[i];
        if (is_swapped(a, b)) {
          std::swap(a, b);
        }
      }
    }
  }

  Word* value(uint32_t reg, uint32_t row) const { return columns_.values[at_[reg][row]]; }
  Word* index(uint32_t reg, uint32_t row) const { return columns_.indices[at_[reg][row]]; }

  const Columns& columns_;
  SortTies ties_;
  uint32_t at_[registers][register_rows] = {};  // the position in each row of each register
  Rows used_rows_ = all_rows;
  bool reversed_ = false;
  uint64_t slots_ = 0;  // of the unit's instructions, for one group of columns
};

// Steps of a phase that compare values 16 or 32 apart.
void wide_step(SortingNetwork& network, uint32_t distance, uint32_t sorted, bool ascending) {
  for (uint32_t block = 0; block < positions; block += 2 * distance) {
    for (uint32_t i = 0; i < distance; i += 8) {
      network.load(block + i, 4, distance);
      network.step(ascending != (sorted < positions && block >= sorted));
    }
  }
}

void narrow_steps(SortingNetwork& network, uint32_t sorted, bool ascending) {
  for (uint32_t base = 0; base < positions; base += 16) {
    network.load(base, 4, 8);
    network.sixteen(ascending != (sorted < positions && base >= sorted));
  }
}

// Steps `first` down to, but without, `last`, and then the narrow ones.
void late_phase(SortingNetwork& network, uint32_t phase, uint32_t first, uint32_t last, bool ascending) {
  const uint32_t sorted = 2U << phase;
  for (uint32_t step = first; step > last; --step) {
    wide_step(network, step == 5 ? 16 : 32, sorted, ascending);
  }
  narrow_steps(network, sorted, ascending);
}

void phase(SortingNetwork& network, uint32_t number, const SortSteps& steps, bool ascending) {
  if (number >= 4) {
    const bool alone = steps.start_phase == steps.end_phase;
    return late_phase(network, number, alone ? steps.start_step : number + 1,
                      alone ? steps.end_step : 4, ascending);
  }
  for (uint32_t base = 0; base < positions; base += 16) {
    network.load(base, 4, 8);
    switch (number) {
      case 0:
        network.phase0();
        break;
      case 1:
        network.phase1();
        break;
      case 2:
        network.phase2();
        break;
      default:
        network.sixteen(ascending != (base / 16 % 2 != 0));
    }
  }
}

DstTile& value_tile(Thread& thread, uint32_t slot) {
  DstTile& tile = dst_read(thread, slot);
  if (tile.kind == DstKind::integer) {
    fail_unsupported("operation", "the mock sorts floats only; their indices are integers");
  }
  return tile;
}

// The tiles of the values and of their indices. One that is left out may hold nothing: the routine
// moves what it finds there, and nobody looks at it.
struct Scratch {
  Word words[2][tile_elements];
};

Columns columns_of(Thread& thread, uint32_t tiles, Scratch& scratch) {
  Columns columns;
  for (uint32_t tile = 0; tile < 2; ++tile) {
    const bool given = tile < tiles;
    auto* const values =
        given ? reinterpret_cast<Word*>(value_tile(thread, tile).values) : scratch.words[0];
    auto* const indices =
        given ? reinterpret_cast<Word*>(integer_tile(thread, 2 + tile).values) : scratch.words[1];
    for (uint32_t row = 0; row < tile_side; ++row) {
      columns.values[tile * tile_side + row] = values + row * tile_side;
      columns.indices[tile * tile_side + row] = indices + row * tile_side;
    }
  }
  return columns;
}

void require(bool holds, const char* what, uint32_t value) {
  if (!holds) {
    fail("args_out_of_range", -1, "%s is %u", what, value);
  }
}

void require_k(uint32_t k) {
  require(k >= 4 && k <= positions && (k & (k - 1)) == 0, "k, a power of two from 4 to 64,", k);
}

void require_first(uint32_t dst) {
  require(dst == 0, "the first destination tile, which has to be 0,", dst);
}

Thread& begin_sort(Call call, Sfpu op, uint32_t dst) {
  Thread& thread = begin_sfpu(call, op);
  require_first(dst);
  return thread;
}

// The table has the cycles of one instruction.
void charge_network(Thread& thread, Sfpu op, const SortingNetwork& network) {
  run_math(thread, run->timing.sfpu[uint32_t(op)] * double(network.slots() * column_groups));
}

}  // namespace

void topk_local_sort(Call call, uint32_t dst, bool ascending, SortSteps steps, SortTies ties) {
  constexpr Sfpu op = Sfpu::topk_local_sort;
  Thread& thread = begin_sort(call, op, dst);
  require(steps.end_phase <= 5, "the last phase, at most 5,", steps.end_phase);
  require(steps.start_phase <= steps.end_phase, "the first phase, at most the last,",
          steps.start_phase);
  Scratch scratch;
  const Columns columns = columns_of(thread, 2, scratch);
  SortingNetwork network(columns, ties);
  for (uint32_t number = steps.start_phase; number <= steps.end_phase; ++number) {
    phase(network, number, steps, ascending);
  }
  charge_network(thread, op, network);
}

// Sequences of k that lie k * 2^iteration apart, at most 32: the first gets the larger values.
void topk_merge(Call call, uint32_t dst, bool smallest, uint32_t iteration, uint32_t k,
                SortTies ties) {
  constexpr Sfpu op = Sfpu::topk_merge;
  Thread& thread = begin_sort(call, op, dst);
  require_k(k);
  require(iteration <= 9, "the iteration, at most 9,", iteration);
  Scratch scratch;
  const Columns columns = columns_of(thread, 2, scratch);
  SortingNetwork network(columns, ties);
  const uint32_t length = std::min(k, tile_side);
  const uint32_t distance = std::min(length << iteration, tile_side);
  // A turn compares 2 * length values and goes on 2 * distance further.
  const uint32_t turns = std::max(2 * length, positions >> iteration) / (2 * length);
  for (uint32_t turn = 0; turn < turns; ++turn) {
    for (uint32_t i = 0; i < length; i += register_rows) {
      network.load_two(turn * 2 * distance + i, distance);
      network.merge(smallest);
    }
  }
  charge_network(thread, op, network);
}

// Sorts the sequences of k that lie k * 2^(iteration + 1) apart, in alternating directions.
void topk_rebuild(Call call, uint32_t dst, bool ascending, RebuildShape shape, SortTies ties) {
  constexpr Sfpu op = Sfpu::topk_rebuild;
  Thread& thread = begin_sort(call, op, dst);
  require_k(shape.k);
  require(shape.k == 1U << shape.log_k, "logk, of another k,", shape.log_k);
  require(shape.iteration <= 9, "the iteration, at most 9,", shape.iteration);
  Scratch scratch = {};
  const Columns columns = columns_of(thread, shape.skip_second ? 1 : 2, scratch);
  SortingNetwork network(columns, ties);
  const uint32_t distance = std::min(shape.k << (shape.iteration + 1), tile_side);
  const uint32_t compared = std::max(2 * shape.k, positions >> (shape.iteration + 1)) >>
                            (shape.skip_second ? 1 : 0);
  const uint32_t turns = (compared + 15) / 16;
  for (uint32_t turn = 0; turn < turns && shape.k <= 16; ++turn) {
    const uint32_t base = turn * 32;
    if (shape.k == 16) {
      network.load(base, 4, 8);
      network.sixteen(ascending != (turn % 2 != 0));
    } else if (shape.k == 8) {
      network.load(base, 4, distance);
      network.phase2();
    } else if (shape.iteration < 2) {
      network.load(base, distance, 2 * distance);
      network.phase1();
    } else {
      network.load_two(base, distance);
      network.use_rows(rows_01);
      network.phase1();
    }
  }
  if (shape.k > 16) {
    late_phase(network, shape.log_k - 1, shape.log_k, 4, ascending);
  }
  charge_network(thread, op, network);
}

// The next two prepare and finish what is sorted; they need no init of their own.

// In 32-bit registers only: 16-bit ones keep minus zero.
void topk_positive_zeros(Call call, uint32_t dst) {
  Thread& thread = begin(call, Op::sfpu);
  require_first(dst);
  if (run->program->device.fp32_dest == 0) {
    return;
  }
  run_math(thread, run->timing.sfpu[uint32_t(Sfpu::topk_positive_zeros)]);
  for (uint32_t slot = 0; slot < 2; ++slot) {
    float* const values = value_tile(thread, slot).values;
    std::replace(values, values + tile_elements, -0.0F, 0.0F);
  }
}

// Moves indices to where the packer looks for 16 bits in a 32-bit register.
void topk_finish_indices(Call call, uint32_t dst) {
  Thread& thread = begin(call, Op::sfpu);
  if (run->program->device.fp32_dest == 0) {
    likely("16-bit registers need no such move");
    fail("dst_width", -1, "indices are moved in 16-bit destination registers");
  }
  run_math(thread, run->timing.sfpu[uint32_t(Sfpu::topk_finish_indices)]);
  integer_tile(thread, dst);
}

}  // namespace tt_mock
