// Bitmaps over byte ranges, a word of 64 bytes at a time.
#include "marks.h"

#include <algorithm>

namespace tt_mock {
namespace {

constexpr uint64_t word_bits = 64;

// The bits of one word that lie in the range.
uint64_t mask_of(uint64_t word, uint64_t begin, uint64_t end) {
  const uint64_t first = word * word_bits;
  const uint64_t low = begin > first ? begin - first : 0;
  const uint64_t high = std::min(end - first, word_bits);
  const uint64_t below_high = high == word_bits ? ~uint64_t{0} : (uint64_t{1} << high) - 1;
  return below_high & (~uint64_t{0} << low);
}

}  // namespace

void marks_set(uint64_t* marks, uint64_t begin, uint64_t end, bool written) {
  if (begin >= end) {
    return;
  }
  const auto set = [written](uint64_t& word, uint64_t mask) {
    word = written ? word | mask : word & ~mask;
  };
  const uint64_t first = begin / word_bits;
  const uint64_t last = (end - 1) / word_bits;
  set(marks[first], mask_of(first, begin, end));
  if (first != last) {
    std::fill(marks + first + 1, marks + last, written ? ~uint64_t{0} : 0);
    set(marks[last], mask_of(last, begin, end));
  }
}

uint64_t marks_first_unset(const uint64_t* marks, uint64_t begin, uint64_t end) {
  if (begin >= end) {
    return end;
  }
  const uint64_t first = begin / word_bits;
  const uint64_t last = (end - 1) / word_bits;
  // Nearly always all are set: so first whether they are, without branches.
  uint64_t common = (marks[first] | ~mask_of(first, begin, end)) &
                    (marks[last] | ~mask_of(last, begin, end));
  for (uint64_t word = first + 1; word < last; ++word) {
    common &= marks[word];
  }
  if (common == ~uint64_t{0}) {
    return end;
  }
  for (uint64_t word = first; word <= last; ++word) {
    const uint64_t missing = ~marks[word] & mask_of(word, begin, end);
    if (missing != 0) {
      return word * word_bits + uint64_t(__builtin_ctzll(missing));
    }
  }
  return end;
}

}  // namespace tt_mock
