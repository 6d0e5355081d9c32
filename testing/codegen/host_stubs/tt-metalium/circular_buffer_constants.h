// See host_api.hpp.
#pragma once
