// The guard that scoped locks return: what it releases is done when it goes out of scope.
#pragma once

template <typename Release>
class [[nodiscard]] Lock {
 public:
  explicit Lock(Release release) : release_(release) {}
  ~Lock() { release_(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Release release_;
};
