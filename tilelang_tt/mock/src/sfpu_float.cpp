// Functions of the vector unit on floats: one row of a table per operation.
#define TT_MOCK_COMPUTE
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "sfpu.h"

namespace tt_mock {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float half_sqrt = 0.70710678118654752440F;
constexpr float inverse_root_pi = 0.56418958354775628695F;
constexpr float two_over_root_pi = 1.12837916709551257390F;

float truth(bool value) { return value ? 1.0F : 0.0F; }

// The unit compares bits as sign and magnitude: minus zero is less than zero, and a NaN is beyond
// infinity.
int32_t rank(float value) {
  const auto bits = int32_t(bits_of(value));
  return bits < 0 ? int32_t(0x80000000U - uint32_t(bits)) - 1 : bits;
}

float larger(float a, float b) { return rank(a) > rank(b) ? a : b; }
float smaller(float a, float b) { return rank(a) < rank(b) ? a : b; }
float limited(float x, float low, float high) { return smaller(larger(x, low), high); }

float sigmoid(float x) { return 1.0F / (1.0F + std::exp(-x)); }
float gelu(float x) { return 0.5F * x * std::erfc(-x * half_sqrt); }

float gelu_tanh(float x) {
  constexpr float root_two_over_pi = two_over_root_pi * half_sqrt;
  return 0.5F * x * (1.0F + std::tanh(root_two_over_pi * (x + 0.044715F * x * x * x)));
}

float gelu_derivative(float x) {
  const float density = std::exp(-0.5F * x * x) * half_sqrt * inverse_root_pi;
  return 0.5F * (1.0F + std::erf(x * half_sqrt)) + x * density;
}

float softplus(float x) { return x > 0.0F ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

float xielu(float x, float positive, float negative) {
  constexpr float beta = 0.5F;
  constexpr float epsilon = -1e-6F;
  const float below = negative * (std::expm1(x < epsilon ? x : epsilon) - x);
  return beta * x + (x > 0.0F ? positive * x * x : below);
}

// Halves an interval around the answer; the error function rises everywhere.
float erfinv(float y) {
  if (!(std::fabs(y) < 1.0F)) {
    return std::fabs(y) == 1.0F ? std::copysign(infinity, y) : std::nanf("");
  }
  double low = -6.0;
  double high = 6.0;
  constexpr int steps = 60;
  for (int step = 0; step < steps; ++step) {
    const double middle = 0.5 * (low + high);
    (std::erf(middle) < double{y} ? low : high) = middle;
  }
  return float(0.5 * (low + high));
}

// The power series of the modified Bessel functions, of order 0 or 1.
float bessel(float x, int order) {
  const double quarter = 0.25 * double{x} * double{x};
  double term = order == 0 ? 1.0 : 0.5 * double{x};
  double sum = term;
  constexpr int terms = 200;
  for (int k = 1; k < terms && std::fabs(term) > 1e-17 * std::fabs(sum); ++k) {
    term *= quarter / (double(k) * double(k + order));
    sum += term;
  }
  return float(sum);
}

float remainder(float a, float b) {
  const float left = std::fmod(a, b);
  return left != 0.0F && (left < 0.0F) != (b < 0.0F) ? left + b : left;
}

float quotient(float a, float b, uint32_t rounding) {
  switch (static_cast<RoundingMode>(rounding)) {
    case RoundingMode::Trunc:
      return std::trunc(a / b);
    case RoundingMode::Floor:
      return std::floor(a / b);
    default:
      return a / b;
  }
}

float round_to_decimals(float x, int32_t decimals) {
  const float scale = std::pow(10.0F, float(decimals));
  return std::nearbyint(x * scale) / scale;
}

float power_of_integer(float x, uint32_t exponent) {
  float result = 1.0F;
  for (; exponent > 0; exponent >>= 1) {
    result *= (exponent & 1) != 0 ? x : 1.0F;
    x *= x;
  }
  return result;
}

float heaviside(float x, float at_zero) {
  return x == 0.0F ? at_zero : truth(x > 0.0F);
}

// Products in 16-bit registers follow the matrix unit: zero times anything is zero.
float product(float a, float b) {
  const bool zero = run->program->device.fp32_dest == 0 && (a == 0.0F || b == 0.0F);
  return zero ? 0.0F : a * b;
}

float logsigmoid(float x, float exp_minus_x) {
  return x > 4.0F ? -exp_minus_x : -softplus(-x);
}

float situ_glu(float gate, float up) {
  constexpr float gate_cap = 4.0F;
  constexpr float up_cap = 25.0F;
  const float capped = gate_cap * std::tanh(gate / gate_cap) * sigmoid(gate);
  return capped * (up_cap * std::tanh(up / up_cap));
}

float clamped_silu_glu(float gate, float up) {
  constexpr float limit = 10.0F;
  const float limited_gate = smaller(gate, limit);
  return limited_gate * sigmoid(limited_gate) * limited(up, -limit, limit);
}

// One step of the upper 16 bits, where bfloat16 keeps its last place.
float next_bfloat16(float from, float towards) {
  if (std::isnan(from) || std::isnan(towards)) {
    return std::nanf("");
  }
  if (from == towards) {
    return towards;
  }
  constexpr uint32_t step = 0x10000;
  if (from == 0.0F) {
    return std::copysign(float_of(step), towards);
  }
  const bool grows = (towards > from) == (from > 0.0F);
  return float_of(grows ? bits_of(from) + step : bits_of(from) - step);
}

struct UnaryRow {
  Sfpu op;
  float (*function)(float x, Scalars s);
};

constexpr UnaryRow unary_rows[] = {
    {Sfpu::add_scalar, [](float x, Scalars s) { return x + s.p; }},
    {Sfpu::sub_scalar, [](float x, Scalars s) { return x - s.p; }},
    {Sfpu::mul_scalar, [](float x, Scalars s) { return x * s.p; }},
    // The kernel passes the reciprocal.
    {Sfpu::div_scalar, [](float x, Scalars s) { return x * s.p; }},
    {Sfpu::rsub_scalar, [](float x, Scalars s) { return s.p - x; }},
    {Sfpu::rsub, [](float x, Scalars s) { return s.p - x; }},
    {Sfpu::rdiv, [](float x, Scalars s) { return quotient(s.p, x, bits_of(s.q)); }},
    {Sfpu::rpow, [](float x, Scalars s) { return std::pow(s.p, x); }},
    {Sfpu::max_scalar, [](float x, Scalars s) { return larger(x, s.p); }},
    {Sfpu::min_scalar, [](float x, Scalars s) { return smaller(x, s.p); }},
    {Sfpu::eq_scalar, [](float x, Scalars s) { return truth(x == s.p); }},
    {Sfpu::ne_scalar, [](float x, Scalars s) { return truth(x != s.p); }},
    {Sfpu::gt_scalar, [](float x, Scalars s) { return truth(x > s.p); }},
    {Sfpu::ge_scalar, [](float x, Scalars s) { return truth(x >= s.p); }},
    {Sfpu::lt_scalar, [](float x, Scalars s) { return truth(x < s.p); }},
    {Sfpu::le_scalar, [](float x, Scalars s) { return truth(x <= s.p); }},
    {Sfpu::power_scalar, [](float x, Scalars s) { return std::pow(x, s.p); }},
    {Sfpu::power_iterative, [](float x, Scalars s) { return power_of_integer(x, bits_of(s.p)); }},
    {Sfpu::fmod, [](float x, Scalars s) { return std::fmod(x, s.p); }},
    {Sfpu::remainder, [](float x, Scalars s) { return remainder(x, s.p); }},
    {Sfpu::relu, [](float x, Scalars) { return x > 0.0F ? x : 0.0F; }},
    {Sfpu::relu_max, [](float x, Scalars s) { return x > s.p ? s.p : x > 0.0F ? x : 0.0F; }},
    {Sfpu::relu_min, [](float x, Scalars s) { return x > s.p ? x : s.p; }},
    {Sfpu::leaky_relu, [](float x, Scalars s) { return x < 0.0F ? x * s.p : x; }},
    {Sfpu::prelu, [](float x, Scalars s) { return x < 0.0F ? x * s.p : x; }},
    {Sfpu::clamp, [](float x, Scalars s) { return limited(x, s.p, s.q); }},
    {Sfpu::hardtanh, [](float x, Scalars s) { return limited(x, s.p, s.q); }},
    {Sfpu::hardsigmoid, [](float x, Scalars) { return limited(x / 6.0F + 0.5F, 0.0F, 1.0F); }},
    {Sfpu::hardmish, [](float x, Scalars) { return x * limited(x * 0.5F + 1.0F, 0.0F, 1.0F); }},
    {Sfpu::hardshrink, [](float x, Scalars s) { return s.p - std::fabs(x) >= 0.0F ? 0.0F : x; }},
    {Sfpu::softshrink, [](float x, Scalars s) { return x - limited(x, -s.p, s.p); }},
    {Sfpu::softsign, [](float x, Scalars) { return x / (1.0F + std::fabs(x)); }},
    {Sfpu::softplus,
     [](float x, Scalars s) { return s.p * x > s.r ? x : softplus(s.p * x) * s.q; }},
    {Sfpu::softcap, [](float x, Scalars s) { return s.p * std::tanh(x * s.q); }},
    {Sfpu::threshold, [](float x, Scalars s) { return x > s.p ? x : s.q; }},
    {Sfpu::sigmoid, [](float x, Scalars) { return sigmoid(x); }},
    {Sfpu::silu, [](float x, Scalars) { return x * sigmoid(x); }},
    {Sfpu::gelu, [](float x, Scalars) { return gelu(x); }},
    {Sfpu::gelu_tanh, [](float x, Scalars) { return gelu_tanh(x); }},
    {Sfpu::gelu_derivative, [](float x, Scalars) { return gelu_derivative(x); }},
    {Sfpu::mish, [](float x, Scalars) { return x * std::tanh(softplus(x)); }},
    {Sfpu::elu, [](float x, Scalars s) { return x >= 0.0F ? x : s.p * std::expm1(x); }},
    {Sfpu::celu, [](float x, Scalars s) { return x >= 0.0F ? x : s.p * std::expm1(s.q * x); }},
    {Sfpu::selu, [](float x, Scalars s) { return s.p * (x >= 0.0F ? x : s.q * std::expm1(x)); }},
    {Sfpu::xielu, [](float x, Scalars s) { return xielu(x, s.p, s.q); }},
    {Sfpu::tanh, [](float x, Scalars) { return std::tanh(x); }},
    {Sfpu::tanh_derivative,
     [](float x, Scalars) { return 1.0F - std::tanh(x) * std::tanh(x); }},
    {Sfpu::tanhshrink, [](float x, Scalars) { return x - std::tanh(x); }},
    {Sfpu::heaviside, [](float x, Scalars s) { return heaviside(x, s.p); }},
    {Sfpu::exp, [](float x, Scalars s) { return std::exp(x * s.p); }},
    {Sfpu::exp2, [](float x, Scalars) { return std::exp2(x); }},
    {Sfpu::expm1, [](float x, Scalars) { return std::expm1(x); }},
    {Sfpu::log, [](float x, Scalars) { return std::log(x); }},
    {Sfpu::log_base, [](float x, Scalars s) { return std::log(x) * s.p; }},
    {Sfpu::log1p, [](float x, Scalars) { return std::log1p(x); }},
    {Sfpu::sqrt, [](float x, Scalars) { return std::sqrt(x); }},
    {Sfpu::rsqrt, [](float x, Scalars) { return 1.0F / std::sqrt(x); }},
    {Sfpu::cbrt, [](float x, Scalars) { return std::cbrt(x); }},
    {Sfpu::recip, [](float x, Scalars) { return 1.0F / x; }},
    {Sfpu::erf, [](float x, Scalars) { return std::erf(x); }},
    {Sfpu::erfc, [](float x, Scalars) { return std::erfc(x); }},
    {Sfpu::erfinv, [](float x, Scalars) { return erfinv(x); }},
    {Sfpu::i0, [](float x, Scalars) { return bessel(x, 0); }},
    {Sfpu::i1, [](float x, Scalars) { return bessel(x, 1); }},
    {Sfpu::sin, [](float x, Scalars) { return std::sin(x); }},
    {Sfpu::cos, [](float x, Scalars) { return std::cos(x); }},
    {Sfpu::tan, [](float x, Scalars) { return std::tan(x); }},
    {Sfpu::asin, [](float x, Scalars) { return std::asin(x); }},
    {Sfpu::acos, [](float x, Scalars) { return std::acos(x); }},
    {Sfpu::atan, [](float x, Scalars) { return std::atan(x); }},
    {Sfpu::sinh, [](float x, Scalars) { return std::sinh(x); }},
    {Sfpu::cosh, [](float x, Scalars) { return std::cosh(x); }},
    {Sfpu::asinh, [](float x, Scalars) { return std::asinh(x); }},
    {Sfpu::acosh, [](float x, Scalars) { return std::acosh(x); }},
    {Sfpu::atanh, [](float x, Scalars) { return std::atanh(x); }},
    {Sfpu::square, [](float x, Scalars) { return x * x; }},
    {Sfpu::abs, [](float x, Scalars) { return std::fabs(x); }},
    {Sfpu::negative, [](float x, Scalars) { return -x; }},
    {Sfpu::sign, [](float x, Scalars) { return x == 0.0F ? 0.0F : std::copysign(1.0F, x); }},
    {Sfpu::signbit, [](float x, Scalars) { return truth(std::signbit(x)); }},
    {Sfpu::identity, [](float x, Scalars) { return x; }},
    {Sfpu::floor, [](float x, Scalars) { return std::floor(x); }},
    {Sfpu::ceil, [](float x, Scalars) { return std::ceil(x); }},
    {Sfpu::trunc, [](float x, Scalars) { return std::trunc(x); }},
    {Sfpu::round, [](float x, Scalars s) { return round_to_decimals(x, int32_t(bits_of(s.p))); }},
    {Sfpu::frac, [](float x, Scalars) { return x - std::trunc(x); }},
    {Sfpu::isinf, [](float x, Scalars) { return truth(std::isinf(x)); }},
    {Sfpu::isposinf, [](float x, Scalars) { return truth(x == infinity); }},
    {Sfpu::isneginf, [](float x, Scalars) { return truth(x == -infinity); }},
    {Sfpu::isnan, [](float x, Scalars) { return truth(std::isnan(x)); }},
    {Sfpu::isfinite, [](float x, Scalars) { return truth(std::isfinite(x)); }},
    {Sfpu::eqz, [](float x, Scalars) { return truth(x == 0.0F); }},
    {Sfpu::nez, [](float x, Scalars) { return truth(x != 0.0F); }},
    {Sfpu::ltz, [](float x, Scalars) { return truth(x < 0.0F); }},
    {Sfpu::gtz, [](float x, Scalars) { return truth(x > 0.0F); }},
    {Sfpu::lez, [](float x, Scalars) { return truth(x <= 0.0F); }},
    {Sfpu::gez, [](float x, Scalars) { return truth(x >= 0.0F); }},
    {Sfpu::logical_not, [](float x, Scalars) { return truth(x == 0.0F); }},
};

struct BinaryRow {
  Sfpu op;
  float (*function)(float a, float b);
};

constexpr BinaryRow binary_rows[] = {
    {Sfpu::add_binary, [](float a, float b) { return a + b; }},
    {Sfpu::sub_binary, [](float a, float b) { return a - b; }},
    {Sfpu::rsub_binary, [](float a, float b) { return b - a; }},
    {Sfpu::add_binary_even, [](float a, float b) { return a + b; }},
    {Sfpu::sub_binary_even, [](float a, float b) { return a - b; }},
    {Sfpu::rsub_binary_even, [](float a, float b) { return b - a; }},
    {Sfpu::mul_binary, [](float a, float b) { return product(a, b); }},
    {Sfpu::div_binary, [](float a, float b) { return a / b; }},
    {Sfpu::power_binary, [](float a, float b) { return std::pow(a, b); }},
    {Sfpu::max_binary, [](float a, float b) { return larger(a, b); }},
    {Sfpu::min_binary, [](float a, float b) { return smaller(a, b); }},
    {Sfpu::eq_binary, [](float a, float b) { return truth(a == b); }},
    {Sfpu::ne_binary, [](float a, float b) { return truth(a != b); }},
    {Sfpu::lt_binary, [](float a, float b) { return truth(a < b); }},
    {Sfpu::gt_binary, [](float a, float b) { return truth(a > b); }},
    {Sfpu::le_binary, [](float a, float b) { return truth(a <= b); }},
    {Sfpu::ge_binary, [](float a, float b) { return truth(a >= b); }},
    {Sfpu::atan2_binary, [](float a, float b) { return std::atan2(a, b); }},
    {Sfpu::fmod_binary, [](float a, float b) { return std::fmod(a, b); }},
    {Sfpu::remainder_binary, [](float a, float b) { return remainder(a, b); }},
    {Sfpu::logaddexp_binary,
     [](float a, float b) { return a > b ? a + softplus(b - a) : b + softplus(a - b); }},
    {Sfpu::logaddexp2_binary,
     [](float a, float b) { return std::log2(std::exp2(a) + std::exp2(b)); }},
    {Sfpu::nextafter, [](float a, float b) { return std::nextafter(a, b); }},
    {Sfpu::nextafter_bf16, [](float a, float b) { return next_bfloat16(a, b); }},
    {Sfpu::situ_glu, [](float a, float b) { return situ_glu(a, b); }},
    {Sfpu::clamped_silu_glu, [](float a, float b) { return clamped_silu_glu(a, b); }},
    {Sfpu::xlogy_binary, [](float a, float b) { return a == 0.0F ? 0.0F : a * std::log(b); }},
    {Sfpu::logsigmoid, [](float a, float b) { return logsigmoid(a, b); }},
};

struct TernaryRow {
  Sfpu op;
  float (*function)(float a, float b, float c, Scalars s);
};

constexpr TernaryRow ternary_rows[] = {
    {Sfpu::addcmul, [](float a, float b, float c, Scalars s) { return a + s.p * b * c; }},
    {Sfpu::addcdiv, [](float a, float b, float c, Scalars s) { return a + s.p * b / c; }},
    {Sfpu::lerp, [](float a, float b, float c, Scalars) { return a + c * (b - a); }},
    {Sfpu::mac, [](float a, float b, float c, Scalars) { return a * b + c; }},
    {Sfpu::snake_beta, [](float a, float b, float c, Scalars) {
       return a + std::sin(b * a) * std::sin(b * a) / c;
     }},
};

// The tables as loops over a tile: the row is a template argument, so its function is inlined and
// vectorised.

template <size_t Row>
void unary_tile(float* values, Scalars scalars) {
  constexpr auto function = unary_rows[Row].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    values[i] = function(values[i], scalars);
  }
}

template <size_t Row>
void binary_tile(float* out, const float* a, const float* b) {
  constexpr auto function = binary_rows[Row].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    out[i] = function(a[i], b[i]);
  }
}

template <size_t Row>
void ternary_tile(float* out, const float* a, const float* b, const float* c, Scalars scalars) {
  constexpr auto function = ternary_rows[Row].function;
  for (uint32_t i = 0; i < tile_elements; ++i) {
    out[i] = function(a[i], b[i], c[i], scalars);
  }
}

constexpr size_t operations = 256;

struct Tables {
  UnaryTile unary[operations];
  BinaryTile binary[operations];
  TernaryTile ternary[operations];
};

template <size_t... Unary, size_t... Binary, size_t... Ternary>
constexpr Tables make_tables(std::index_sequence<Unary...>, std::index_sequence<Binary...>,
                             std::index_sequence<Ternary...>) {
  Tables tables{};
  ((tables.unary[static_cast<size_t>(unary_rows[Unary].op)] = unary_tile<Unary>), ...);
  ((tables.binary[static_cast<size_t>(binary_rows[Binary].op)] = binary_tile<Binary>), ...);
  ((tables.ternary[static_cast<size_t>(ternary_rows[Ternary].op)] = ternary_tile<Ternary>), ...);
  return tables;
}

constexpr Tables tables = make_tables(std::make_index_sequence<std::size(unary_rows)>(),
                                      std::make_index_sequence<std::size(binary_rows)>(),
                                      std::make_index_sequence<std::size(ternary_rows)>());

}  // namespace

UnaryTile unary_function(Sfpu op) { return tables.unary[size_t(op)]; }
BinaryTile binary_function(Sfpu op) { return tables.binary[size_t(op)]; }
TernaryTile ternary_function(Sfpu op) { return tables.ternary[size_t(op)]; }

}  // namespace tt_mock
