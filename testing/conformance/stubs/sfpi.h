// What SFPI's own sfpi.h declares, as far as parsing the tt-metal headers needs it.
//
// The real one belongs to the SFPI compiler and is not in the ttnn wheel. tt-metal's SFPU routines are
// written with it, and a kernel that calls exp_tile() instantiates them. Which value such a routine
// computes is no business of a type check, so any vector converts to any other, every operation exists
// and none has a body. Instruction constants are 0, which fits into every field of an instruction.
#pragma once

#include <cstdint>
#include <type_traits>

#define sfpi_inline [[gnu::always_inline]] inline

// Predicated execution: a branch type-checks both sides.
#define v_if(condition) { if (::sfpi::vBool(condition)) {
#define v_elseif(condition) } else if (::sfpi::vBool(condition)) {
#define v_else } else {
#define v_endif } }
#define v_block {
#define v_endblock }
#define v_and(condition) (void)::sfpi::vBool(condition)

namespace sfpi {

constexpr unsigned
    SFPABS_MOD1_INT = 0,
    SFPAND_MOD1_USE_VB = 0,
    SFPARECIP_MOD1_RECIP = 0,
    SFPCAST_MOD1_INT32_TO_FP32_RNE = 0,
    SFPCAST_MOD1_SM32_TO_FP32_RNE = 0,
    SFPCFG_IMM16_IS_VALUE = 0,
    SFPCONFIG_MOD_SET_LREG11 = 0,
    SFPENCC_IMM12_BOTH = 0,
    SFPENCC_MOD1_EI_RI = 0,
    SFPENCC_MOD1_EU_R1 = 0,
    SFPEXEXP_MOD1_SET_CC_COMP_EXP = 0,
    SFPEXEXP_MOD1_SET_CC_SGN_EXP = 0,
    SFPEXMAN_MOD1_PAD9 = 0,
    SFPGT_MOD1_SET_ALL_ONES = 0,
    SFPGT_MOD1_SET_CC = 0,
    SFPGT_MOD1_SET_VD = 0,
    SFPIADD_MOD1_ARG_2SCOMP_LREG_DST = 0,
    SFPIADD_MOD1_ARG_IMM = 0,
    SFPIADD_MOD1_ARG_LREG_DST = 0,
    SFPIADD_MOD1_CC_GTE0 = 0,
    SFPIADD_MOD1_CC_LT0 = 0,
    SFPIADD_MOD1_CC_NONE = 0,
    SFPLE_MOD1_SET_CC = 0,
    SFPLE_MOD1_SET_VD = 0,
    SFPLOADI_MOD0_FLOATA = 0,
    SFPLOADI_MOD0_FLOATB = 0,
    SFPLOADI_MOD0_LOWER = 0,
    SFPLOADI_MOD0_SHORT = 0,
    SFPLOADI_MOD0_UPPER = 0,
    SFPLOADI_MOD0_USHORT = 0,
    SFPLOAD_MOD0_FMT_FP16B = 0,
    SFPLOAD_MOD0_FMT_SRCB = 0,
    SFPLZ_MOD1_CC_NE0 = 0,
    SFPMAD_MOD1_INDIRECT_VA = 0,
    SFPMAD_MOD1_INDIRECT_VD = 0,
    SFPMAD_MOD1_NEGATE_VA = 0,
    SFPMAD_MOD1_NEGATE_VC = 0,
    SFPMAD_MOD1_OFFSET_NONE = 0,
    SFPMOV_MOD1_NEGATE = 0,
    SFPMUL24_MOD1_LOWER = 0,
    SFPMUL24_MOD1_UPPER = 0,
    SFPSETCC_MOD1_LREG_EQ0 = 0,
    SFPSETCC_MOD1_LREG_GTE0 = 0,
    SFPSETCC_MOD1_LREG_LT0 = 0,
    SFPSETCC_MOD1_LREG_NE0 = 0,
    SFPSETEXP_MOD1_ARG_EXPONENT = 0,
    SFPSETSGN_MOD1_ARG_IMM = 0,
    SFPSHFT2_MOD1_SHFT_IMM = 0,
    SFPSHFT2_MOD1_SHFT_LREG = 0,
    SFPSHFT2_MOD1_SUBVEC_SHFLROR1 = 0,
    SFPSHFT2_MOD1_SUBVEC_SHFLSHR1 = 0,
    SFPSHFT_MOD1_ARG_IMM = 0,
    SFPSHFT_MOD1_ARG_IMM_USE_VC = 0,
    SFPSTOCHRND_MOD1_FP32_TO_FP16B = 0,
    SFPSTOCHRND_MOD1_FP32_TO_INT16 = 0,
    SFPSTOCHRND_MOD1_FP32_TO_INT8 = 0,
    SFPSTOCHRND_MOD1_FP32_TO_UINT16 = 0,
    SFPSTOCHRND_MOD1_FP32_TO_UINT8 = 0,
    SFPSTOCHRND_RND_EVEN = 0,
    SFPSTORE_MOD0_FMT_FP16B = 0,
    SFPSTORE_MOD0_FMT_SRCB = 0,
    SFPSWAP_MOD1_SWAP = 0,
    SFPSWAP_MOD1_VEC_MIN_MAX = 0;

constexpr int SFP_DESTREG_STRIDE = 2;

enum class DataLayout { Default, F32, FSrcB, I32, M32, SM32, U16, U32 };
enum class ExponentMode { Biased };
enum class FractionalHalf { High };
enum class LRegs { LReg0, LReg1, LReg2, LReg3, LReg4, LReg5, LReg6, LReg7 };
enum class LutSign { Retain, Update };
enum class MantissaMode { ImplicitOne };
enum class RoundMode { Nearest, NearestAway, NearestStochastic };
enum class ShiftMode { Arithmetic, Logical };

// The kinds differ so that tt-metal's overloads on vFloat and vInt stay different functions.
template <int Kind>
struct Vector;

template <typename T>
constexpr bool is_vector = false;
template <int Kind>
constexpr bool is_vector<Vector<Kind>> = true;
template <typename... T>
concept SomeVector = (is_vector<std::remove_cvref_t<T>> || ...);

using Lanes = unsigned __attribute__((vector_size(128)));

struct vBool {
    template <typename... T>
    vBool(const T&...);
    explicit operator bool() const;
    vBool operator!() const;
    vBool operator&&(const vBool&) const;
    vBool operator||(const vBool&) const;
};

template <int Kind>
struct Vector {
    template <typename... T>
    constexpr Vector(const T&...) {}
    constexpr Vector(const Vector&) = default;
    Vector& operator=(const Vector&) = default;
    template <typename T>
    Vector& operator=(const T&);

    Lanes get() const;
    vBool in_use() const;
    template <auto...>
    Vector<-1> mode(int = 0) const;

    explicit operator bool() const;
    vBool operator!() const;
    Vector operator-() const;
    Vector operator~() const;
    Vector operator++(int) const;
    Vector operator--(int) const;
    Vector& operator+=(const Vector&);
    Vector& operator-=(const Vector&);
    Vector& operator*=(const Vector&);
    Vector& operator&=(const Vector&);
    Vector& operator|=(const Vector&);
    Vector& operator^=(const Vector&);
    Vector& operator<<=(const Vector&);
    Vector& operator>>=(const Vector&);
};

using vFloat = Vector<0>;
using vInt = Vector<1>;
using vUInt = Vector<2>;
using vMag = Vector<3>;
using vSMag = Vector<4>;
using vFloat16a = Vector<5>;
using vFloat16b = Vector<6>;
using vUInt16 = Vector<7>;
using vUInt8 = Vector<8>;
using vSMag16 = Vector<9>;
using vSMag8 = Vector<10>;
using sFloat16a = Vector<11>;
using sFloat16b = Vector<12>;
using vLut8si = Vector<13>;
using vLut16ss = Vector<14>;
using vLut16ii = Vector<15>;

// An operation yields the type of its first operand that is a vector.
template <typename A, typename B = vFloat>
using Result = std::remove_cvref_t<std::conditional_t<SomeVector<A>, A, B>>;

#define SFPI_BINARY(OP)                                              \
    template <typename A, typename B>                                \
        requires SomeVector<A, B>                                    \
    Result<A, B> operator OP(const A&, const B&);
SFPI_BINARY(+)
SFPI_BINARY(-)
SFPI_BINARY(*)
SFPI_BINARY(&)
SFPI_BINARY(|)
SFPI_BINARY(^)
SFPI_BINARY(<<)
SFPI_BINARY(>>)
#undef SFPI_BINARY

#define SFPI_COMPARISON(OP)                                          \
    template <typename A, typename B>                                \
        requires SomeVector<A, B>                                    \
    vBool operator OP(const A&, const B&);
SFPI_COMPARISON(<)
SFPI_COMPARISON(<=)
SFPI_COMPARISON(>)
SFPI_COMPARISON(>=)
SFPI_COMPARISON(==)
SFPI_COMPARISON(!=)
#undef SFPI_COMPARISON

#define SFPI_FUNCTION(RESULT, NAME)                                  \
    template <auto..., typename A, typename... B>                    \
    RESULT NAME(const A&, const B&...);
SFPI_FUNCTION(Result<A>, abs)
SFPI_FUNCTION(Result<A>, clamp)
SFPI_FUNCTION(Result<A>, copyman)
SFPI_FUNCTION(Result<A>, copysgn)
SFPI_FUNCTION(Result<A>, fractional_mul)
SFPI_FUNCTION(Result<A>, max)
SFPI_FUNCTION(Result<A>, min)
SFPI_FUNCTION(Result<A>, nearby)
SFPI_FUNCTION(Result<A>, setsgn)
SFPI_FUNCTION(Result<A>, setsgn2)
SFPI_FUNCTION(Result<A>, shft)
SFPI_FUNCTION(Result<A>, subvec_shflror1)
SFPI_FUNCTION(Result<A>, symmetric_clamp)
SFPI_FUNCTION(vFloat, addexp)
SFPI_FUNCTION(vFloat, approx_recip)
SFPI_FUNCTION(vFloat, lut)
SFPI_FUNCTION(vFloat, setexp)
SFPI_FUNCTION(vFloat, setman)
SFPI_FUNCTION(vInt, exexp)
SFPI_FUNCTION(vInt, exman)
SFPI_FUNCTION(vInt, exman9)
SFPI_FUNCTION(vBool, is_finite)
SFPI_FUNCTION(vBool, is_inf)
SFPI_FUNCTION(vBool, is_nan)
SFPI_FUNCTION(vBool, is_neg)
SFPI_FUNCTION(vBool, is_pos)
SFPI_FUNCTION(void, subvec_transp)
SFPI_FUNCTION(void, vec_min_max)
#undef SFPI_FUNCTION

template <typename A>
struct Pair {
    A first, second;
};
template <typename A>
Pair<A> min_max(const A&, const A&, unsigned = 0);

template <typename To, typename A>
To as(const A&);
template <typename To, typename... A>
To convert(const A&...);

struct RegisterFile {
    template <typename Index>
    Vector<-1> operator[](Index) const;
    const RegisterFile& operator+=(int) const;
    const RegisterFile& operator++(int) const;
};
inline constexpr RegisterFile dst_reg, l_reg;

struct lreg_pressure {
    lreg_pressure();
};

inline vFloat vConst0, vConst1, vConstNeg1, vConst0p8373, vConstFloatPrgm0, vConstFloatPrgm1, vConstFloatPrgm2;
inline vInt vConstTileId, vConstIntPrgm0, vConstIntPrgm1, vConstIntPrgm2;

}  // namespace sfpi

// The builtins of SFPI's compiler that tt-metal's headers call themselves.
sfpi::Lanes __builtin_rvtt_sfpmad(sfpi::Lanes, sfpi::Lanes, sfpi::Lanes, unsigned);
sfpi::Lanes __builtin_rvtt_sfpgt(sfpi::Lanes, sfpi::Lanes, unsigned);
