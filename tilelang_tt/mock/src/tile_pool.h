// Memory for the tiles that destination registers hold. Few of them hold one at a time, so all cores
// share a pool, and what was used last is used next.
#pragma once

namespace tt_mock {

// 1024 words, aligned to 64 bytes, of any content.
float* tile_pool_take();
void tile_pool_give(float* words);

}  // namespace tt_mock
