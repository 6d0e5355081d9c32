// Engine entry points for circular buffers, shared by both kinds of kernel.
#pragma once

#include "tt_mock/common.h"

namespace tt_mock {

void cb_reserve(Call call, uint32_t cb, uint32_t pages);
void cb_push(Call call, uint32_t cb, uint32_t pages);
void cb_wait(Call call, uint32_t cb, uint32_t pages);
void cb_pop(Call call, uint32_t cb, uint32_t pages);

}  // namespace tt_mock
