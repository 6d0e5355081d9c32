// The watcher's assertion; off by default on the device too.
#pragma once

#ifndef ASSERT
#define ASSERT(...) ((void)0)
#endif
