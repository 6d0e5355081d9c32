"""What each operation of the vector unit computes, in torch's words: the rows of the tests and of
the table of measured agreement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as tnf

Tensor = torch.Tensor
ROOT = "api/compute/"
UNARY = ROOT + "eltwise_unary/"


@dataclass(frozen=True)
class Row:
    """One operation: its calls, the header that declares them, what torch makes of the operands.

    Operands are in destination tiles 0, 1, 2, the result in tile 0. `domain` bounds the operands.
    """

    name: str
    header: str
    init: str
    call: str
    reference: Callable[..., Tensor]
    operands: int = 1
    domain: tuple[float, float] = (-4.0, 4.0)
    blackhole_only: bool = False


def bits(value: float) -> str:
    """A float as the kernel passes it."""
    return hex(int(np.float32(value).view(np.uint32)))


def _unary(
    name: str,
    header: str,
    reference: Callable[[Tensor], Tensor],
    *scalars: float,
    domain: tuple[float, float] = (-4.0, 4.0),
    init: str = "",
    template: str = "",
) -> Row:
    words = "".join(f", {bits(scalar)}" for scalar in scalars)
    call = f"{name}_tile{template}(0{words});"
    return Row(name, header, init or f"{name}_tile_init{template}();", call, reference, 1, domain)


def _binary(
    name: str,
    header: str,
    reference: Callable[[Tensor, Tensor], Tensor],
    domain: tuple[float, float] = (-4.0, 4.0),
) -> Row:
    return Row(name, header, f"{name}_tile_init();", f"{name}_tile(0, 1, 0);", reference, 2, domain)


GENERAL = ROOT + "compute_kernel_api.h"
SCALAR = UNARY + "binop_with_scalar.h"
SCALAR_INIT = "binop_with_scalar_tile_init();"
COMPARE = UNARY + "comp.h"
ROUND = UNARY + "rounding.h"
ROUND_INIT = "rounding_op_tile_init();"
TRIGONOMETRY = UNARY + "trigonometry.h"
KIND = UNARY + "isinf_isnan.h"
ACTIVATION = UNARY + "activations.h"
TWO = ROOT + "eltwise_binary_sfpu.h"
POSITIVE = (0.1, 8.0)
INSIDE = (-0.95, 0.95)

_scalar = 0.75


def _compare_zero(name: str, relation: Callable[[Tensor, float], Tensor]) -> Row:
    return _unary(name, COMPARE, lambda x: relation(x, 0.0).float())


def _compare_scalar(name: str, relation: Callable[[Tensor, float], Tensor]) -> Row:
    return _unary(f"unary_{name}", COMPARE, lambda x: relation(x, _scalar).float(), _scalar)


def _compare_two(name: str, relation: Callable[[Tensor, Tensor], Tensor]) -> Row:
    return _binary(f"{name}_binary", TWO, lambda a, b: relation(a, b).float())


def _xielu(x: Tensor) -> Tensor:
    below = 0.6 * (torch.expm1(torch.clamp(x, max=-1e-6)) - x)
    return 0.5 * x + torch.where(x > 0, 0.8 * x * x, below)


def _gelu_derivative(x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    tnf.gelu(x).sum().backward()
    assert x.grad is not None
    return x.grad


def _next(a: Tensor, b: Tensor, step: int) -> Tensor:
    """The float32 that lies `step` patterns from a towards b."""
    a, b = a.float(), b.float()
    bits = a.view(torch.int32)
    away = (b > a) == (a > 0)
    moved = torch.where(away, bits + step, bits - step).view(torch.float32)
    tiny = torch.copysign(torch.tensor(step, dtype=torch.int32).view(torch.float32), b)
    return torch.where(a == b, b, torch.where(a == 0, tiny, moved))


UNARY_ROWS = (
    _unary("add_unary", SCALAR, lambda x: x + _scalar, _scalar, init=SCALAR_INIT),
    _unary("sub_unary", SCALAR, lambda x: x - _scalar, _scalar, init=SCALAR_INIT),
    _unary("mul_unary", SCALAR, lambda x: x * _scalar, _scalar, init=SCALAR_INIT),
    _unary("div_unary", SCALAR, lambda x: x * _scalar, _scalar, init=SCALAR_INIT),
    _unary("rsub_unary", SCALAR, lambda x: _scalar - x, _scalar, init=SCALAR_INIT),
    _unary("rsub", UNARY + "rsub.h", lambda x: _scalar - x, _scalar),
    _unary("rdiv", UNARY + "rdiv.h", lambda x: _scalar / x, _scalar, domain=POSITIVE),
    _unary("rpow", UNARY + "rpow.h", lambda x: torch.pow(_scalar, x), _scalar),
    _unary("unary_max", GENERAL, lambda x: torch.clamp(x, min=_scalar), _scalar),
    _unary("unary_min", GENERAL, lambda x: torch.clamp(x, max=_scalar), _scalar),
    _unary("power", GENERAL, lambda x: torch.pow(x, 1.5), 1.5, domain=POSITIVE),
    Row(
        "power_iterative",
        GENERAL,
        "power_iterative_tile_init();",
        "power_iterative_tile(0, 3);",
        lambda x: x * x * x,
    ),
    _unary("relu", UNARY + "relu.h", torch.relu),
    _unary("relu_max", UNARY + "relu.h", lambda x: torch.clamp(x, 0, _scalar), _scalar),
    _unary("relu_min", UNARY + "relu.h", lambda x: torch.clamp(x, min=_scalar), _scalar),
    _unary("leaky_relu", UNARY + "relu.h", lambda x: tnf.leaky_relu(x, _scalar), _scalar),
    _unary("prelu", UNARY + "prelu.h", lambda x: tnf.leaky_relu(x, _scalar), _scalar),
    _unary("clamp", UNARY + "clamp.h", lambda x: torch.clamp(x, -1, 2), -1, 2),
    _unary("hardtanh", UNARY + "hardtanh.h", lambda x: tnf.hardtanh(x, -1, 2), -1, 2),
    _unary("hardsigmoid", ACTIVATION, tnf.hardsigmoid),
    _unary("hardmish", UNARY + "hardmish.h", lambda x: x * torch.clamp(x / 2 + 1, 0, 1)),
    _unary("hardshrink", ACTIVATION, lambda x: tnf.hardshrink(x, _scalar), _scalar),
    _unary("softshrink", ACTIVATION, lambda x: tnf.softshrink(x, _scalar), _scalar),
    _unary("softsign", ACTIVATION, tnf.softsign),
    _unary("softplus", UNARY + "softplus.h", lambda x: tnf.softplus(x, 2.0, 3.0), 2.0, 0.5, 3.0),
    Row(
        "softcap",
        UNARY + "softcap.h",
        "softcap_tile_init();",
        f"softcap_tile(0, {bits(2.0)}, {bits(0.5)});",
        lambda x: 2 * torch.tanh(x / 2),
        blackhole_only=True,
    ),
    _unary("threshold", UNARY + "threshold.h", lambda x: tnf.threshold(x, 0.5, 3.0), 0.5, 3.0),
    _unary("sigmoid", GENERAL, torch.sigmoid),
    _unary("silu", GENERAL, tnf.silu),
    _unary("gelu", UNARY + "gelu.h", tnf.gelu),
    _unary("gelu_tanh", UNARY + "gelu.h", lambda x: tnf.gelu(x, approximate="tanh")),
    _unary("gelu_derivative", UNARY + "gelu.h", _gelu_derivative),
    _unary("mish", UNARY + "mish.h", tnf.mish, template="<false>"),
    _unary("elu", UNARY + "elu.h", lambda x: tnf.elu(x, _scalar), _scalar),
    _unary("celu", ACTIVATION, lambda x: tnf.celu(x, 0.5), 0.5, 2.0),
    _unary("selu", UNARY + "selu.h", tnf.selu, 1.0507009873554804934193, 1.6732632423543772848170),
    _unary("xielu", UNARY + "xielu.h", _xielu, 0.8, 0.6),
    _unary("tanh", GENERAL, torch.tanh),
    _unary("tanh_derivative", UNARY + "tanh_derivative.h", lambda x: 1 - torch.tanh(x) ** 2),
    _unary("tanhshrink", UNARY + "tanhshrink.h", tnf.tanhshrink),
    _unary(
        "heaviside", GENERAL, lambda x: torch.heaviside(x, torch.full_like(x, _scalar)), _scalar
    ),
    Row("exp", UNARY + "exp.h", "exp_tile_init();", "exp_tile(0);", torch.exp),
    Row(
        "exp_approx",
        UNARY + "exp.h",
        f"exp_tile_init<true, {bits(0.5)}>();",
        "exp_tile<true>(0);",
        lambda x: torch.exp(x * 0.5),
    ),
    Row(
        "exp_scaled",
        UNARY + "exp.h",
        "exp_tile_init();",
        "exp_tile<false, true>(0, VectorMode::RC, 0x3F00);",
        lambda x: torch.exp(x * 0.5),
    ),
    _unary("exp2", GENERAL, torch.exp2),
    _unary("expm1", GENERAL, torch.expm1),
    _unary("log", GENERAL, torch.log, domain=POSITIVE),
    _unary(
        "log_with_base",
        GENERAL,
        torch.log10,
        0.43429448190325182765,
        domain=POSITIVE,
    ),
    _unary("log1p", UNARY + "log1p.h", torch.log1p, domain=POSITIVE),
    _unary("sqrt", UNARY + "sqrt.h", torch.sqrt, domain=POSITIVE),
    _unary("rsqrt", UNARY + "rsqrt.h", torch.rsqrt, domain=POSITIVE),
    _unary("cbrt", UNARY + "cbrt.h", lambda x: x.sign() * x.abs().pow(1 / 3)),
    _unary("recip", UNARY + "recip.h", torch.reciprocal, domain=POSITIVE),
    _unary("erf", UNARY + "erf_erfc.h", torch.erf),
    _unary("erfc", UNARY + "erf_erfc.h", torch.erfc),
    _unary("erfinv", UNARY + "erfinv.h", torch.erfinv, domain=INSIDE),
    _unary("i0", UNARY + "i0.h", torch.special.i0),
    _unary("i1", UNARY + "i1.h", torch.special.i1),
    *(
        _unary(name, TRIGONOMETRY, getattr(torch, name))
        for name in ("sin", "cos", "atan", "sinh", "cosh", "asinh")
    ),
    *(
        _unary(name, TRIGONOMETRY, getattr(torch, name), domain=INSIDE)
        for name in ("tan", "asin", "acos", "atanh")
    ),
    _unary("acosh", TRIGONOMETRY, torch.acosh, domain=(1.1, 8.0)),
    _unary("square", GENERAL, torch.square),
    _unary("abs", GENERAL, torch.abs),
    _unary("negative", UNARY + "negative.h", torch.neg),
    _unary("sign", GENERAL, torch.sign),
    _unary("signbit", GENERAL, lambda x: torch.signbit(x).float()),
    _unary("identity", UNARY + "identity.h", lambda x: x),
    *(
        _unary(name, ROUND, getattr(torch, name), init=ROUND_INIT)
        for name in ("floor", "ceil", "trunc", "frac")
    ),
    Row("round", ROUND, ROUND_INIT, "round_tile(0, 1);", lambda x: torch.round(x, decimals=1)),
    *(
        _unary(name, KIND, lambda x, name=name: getattr(torch, name)(x).float())
        for name in ("isinf", "isposinf", "isneginf", "isnan", "isfinite")
    ),
    _compare_zero("eqz", torch.eq),
    _compare_zero("nez", torch.ne),
    _compare_zero("ltz", torch.lt),
    _compare_zero("gtz", torch.gt),
    _compare_zero("lez", torch.le),
    _compare_zero("gez", torch.ge),
    _compare_scalar("eq", torch.eq),
    _compare_scalar("ne", torch.ne),
    _compare_scalar("gt", torch.gt),
    _compare_scalar("ge", torch.ge),
    _compare_scalar("lt", torch.lt),
    _compare_scalar("le", torch.le),
    Row(
        "logical_not",
        UNARY + "logical_not.h",
        "logical_not_tile_init();",
        "logical_not_tile<DataFormat::Float32>(0);",
        lambda x: torch.logical_not(x).float(),
    ),
    Row(
        "fmod",
        UNARY + "fmod.h",
        f"fmod_tile_init({bits(1.5)}, {bits(1 / 1.5)});",
        "fmod_tile(0);",
        lambda x: torch.fmod(x, 1.5),
    ),
    Row(
        "remainder",
        UNARY + "remainder.h",
        f"remainder_tile_init({bits(1.5)}, {bits(1 / 1.5)});",
        "remainder_tile(0);",
        lambda x: torch.remainder(x, 1.5),
    ),
    Row(
        "fill",
        UNARY + "fill.h",
        "fill_tile_init();",
        "fill_tile(0, 0.75f);",
        lambda x: torch.full_like(x, 0.75),
    ),
    Row(
        "fill_bitcast",
        UNARY + "fill.h",
        "fill_tile_init();",
        f"fill_tile_bitcast(0, {bits(0.75)});",
        lambda x: torch.full_like(x, 0.75),
    ),
    Row(
        "cumsum",
        ROOT + "cumsum.h",
        "cumsum_tile_init();",
        "cumsum_tile(0);",
        lambda x: torch.cumsum(x, 0),
    ),
)

BINARY_ROWS = (
    _binary("add_binary", TWO, torch.add),
    _binary("sub_binary", TWO, torch.sub),
    _binary("mul_binary", TWO, torch.mul),
    _binary("div_binary", TWO, torch.div, POSITIVE),
    _binary("rsub_binary", TWO, lambda a, b: b - a),
    _binary("power_binary", TWO, torch.pow, POSITIVE),
    _binary("binary_max", ROOT + "binary_max_min.h", torch.maximum),
    _binary("binary_min", ROOT + "binary_max_min.h", torch.minimum),
    _compare_two("eq", torch.eq),
    _compare_two("ne", torch.ne),
    _compare_two("lt", torch.lt),
    _compare_two("gt", torch.gt),
    _compare_two("le", torch.le),
    _compare_two("ge", torch.ge),
    _binary("atan2_binary", ROOT + "atan2.h", torch.atan2),
    _binary("fmod_binary", ROOT + "binary_fmod.h", torch.fmod, POSITIVE),
    _binary("remainder_binary", ROOT + "binary_remainder.h", torch.remainder, POSITIVE),
    _binary("logaddexp_binary", ROOT + "logaddexp.h", torch.logaddexp),
    _binary("logaddexp2_binary", ROOT + "logaddexp2.h", torch.logaddexp2),
    _binary("nextafter_binary", ROOT + "nextafter.h", lambda a, b: _next(a, b, 1)),
    _binary("nextafter_bf16_binary", ROOT + "nextafter.h", lambda a, b: _next(a, b, 0x10000)),
    Row(
        "situ_glu",
        ROOT + "situ_glu.h",
        "situ_glu_tile_init();",
        "situ_glu_tile(0, 1, 0);",
        lambda a, b: 4 * torch.tanh(a / 4) * torch.sigmoid(a) * 25 * torch.tanh(b / 25),
        2,
        blackhole_only=True,
    ),
    Row(
        "clamped_silu_glu",
        ROOT + "clamped_silu_glu.h",
        "clamped_silu_glu_tile_init();",
        "clamped_silu_glu_tile(0, 1, 0);",
        lambda a, b: tnf.silu(torch.clamp(a, max=10)) * torch.clamp(b, -10, 10),
        2,
        (-20.0, 20.0),
        blackhole_only=True,
    ),
    _binary("xlogy_binary", ROOT + "xlogy.h", torch.xlogy, POSITIVE),
    Row(
        "logsigmoid",
        ROOT + "logsigmoid.h",
        "copy_tile(0, 0, 1); negative_tile_init(); negative_tile(1); exp_tile_init(); "
        "exp_tile(1); logsigmoid_tile_init();",
        "logsigmoid_tile(0, 1, 0);",
        lambda a, b: tnf.logsigmoid(a),
        2,
    ),
    Row(
        "mask",
        ROOT + "mask.h",
        "gtz_tile_init(); gtz_tile(1); mask_tile_init();",
        "mask_tile(0, 1);",
        lambda a, b: torch.where(b > 0, a, 0.0),
        2,
    ),
    Row(
        "copy_dest_values",
        ROOT + "copy_dest_values.h",
        "copy_dest_values_init();",
        "copy_dest_values<DataFormat::Float32>(1, 0);",
        lambda a, b: b,
        2,
    ),
)

_TERNARY = "<DataFormat::Float32>"
TERNARY_ROWS = (
    Row(
        "where",
        UNARY + "where.h",
        "gtz_tile_init(); gtz_tile(0); where_tile_init();",
        f"where_tile{_TERNARY}(0, 1, 2, 0);",
        lambda a, b, c: torch.where(a > 0, b, c),
        3,
    ),
    Row(
        "addcmul",
        UNARY + "addcmul.h",
        "addcmul_tile_init();",
        f"addcmul_tile{_TERNARY}(0, 1, 2, 0, {bits(_scalar)});",
        lambda a, b, c: torch.addcmul(a, b, c, value=_scalar),
        3,
    ),
    Row(
        "addcdiv",
        UNARY + "addcdiv.h",
        "addcdiv_tile_init();",
        f"addcdiv_tile{_TERNARY}(0, 1, 2, 0, {bits(_scalar)});",
        lambda a, b, c: torch.addcdiv(a, b, c, value=_scalar),
        3,
        POSITIVE,
    ),
    Row(
        "lerp",
        UNARY + "lerp.h",
        "lerp_tile_init();",
        f"lerp_tile{_TERNARY}(0, 1, 2, 0);",
        torch.lerp,
        3,
    ),
    Row(
        "mac",
        UNARY + "mac.h",
        f"mac_tile_init{_TERNARY}();",
        f"mac_tile{_TERNARY}(0, 1, 2, 0);",
        lambda a, b, c: a * b + c,
        3,
    ),
    Row(
        "snake_beta",
        UNARY + "snake_beta.h",
        "snake_beta_tile_init();",
        f"snake_beta_tile{_TERNARY}(0, 1, 2, 0);",
        lambda a, b, c: a + torch.sin(b * a) ** 2 / c,
        3,
        POSITIVE,
    ),
)

FLOAT_ROWS = (*UNARY_ROWS, *BINARY_ROWS, *TERNARY_ROWS)
