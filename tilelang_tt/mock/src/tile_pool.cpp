#include "tile_pool.h"

#include <memory>
#include <vector>

#include "engine.h"

namespace tt_mock {
namespace {

struct alignas(64) Words {
  float values[tile_elements];
};

struct Pool {
  std::vector<std::unique_ptr<Words>> all;
  std::vector<float*> free;
};

Pool& pool() {
  static Pool instance;
  return instance;
}

}  // namespace

float* tile_pool_take() {
  Pool& tiles = pool();
  if (tiles.free.empty()) {
    tiles.all.push_back(std::unique_ptr<Words>(new Words));
    return tiles.all.back()->values;
  }
  float* words = tiles.free.back();
  tiles.free.pop_back();
  return words;
}

void tile_pool_give(float* words) { pool().free.push_back(words); }

}  // namespace tt_mock
