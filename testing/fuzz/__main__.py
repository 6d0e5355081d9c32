"""Run many random programs: `python -m testing.fuzz --count 2000`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tqdm import tqdm

from testing.fuzz.campaign import Campaign


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m testing.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="how many programs")
    parser.add_argument("--seed", type=int, help="of the programs; the time where it is left out")
    parser.add_argument(
        "--keep-going", action="store_true", help="collect failures instead of shrinking the first"
    )
    parser.add_argument("--out", type=Path, help="a folder for programs that fail")
    options = parser.parse_args(arguments)
    seed = int(time.time()) if options.seed is None else options.seed
    print(f"seed {seed}")
    campaign = Campaign()
    with tqdm(total=options.count, unit="program", dynamic_ncols=True) as bar:
        try:
            campaign.run(
                options.count, seed, keep_going=options.keep_going, each=lambda: bar.update(1)
            )
        except KeyboardInterrupt:
            print("interrupted")
    print(campaign.summary())
    for number, (kind, program) in enumerate(campaign.failures.items()):
        print(f"\n{kind}\n{program}")
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            text = f"# {kind}\n{program}"
            (options.out / f"failure_{number}.py").write_text(text)
    return 1 if campaign.failures else 0


if __name__ == "__main__":
    for stop in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(stop, signal.default_int_handler)
    sys.exit(main())
