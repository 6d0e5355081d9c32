// Multiplications and divisions that the processors do without.
#pragma once

inline unsigned int mulsi3(unsigned int a, unsigned int b) { return a * b; }
