// The watcher's progress marks; nothing here.
#pragma once

#ifndef WAYPOINT
#define WAYPOINT(...) ((void)0)
#endif
