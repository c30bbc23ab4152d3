"""The kernel's own messages, from the tool that may read them."""

from __future__ import annotations

from advisor.capture.tree import MAX_LOG, MIB, decode, log_end

# journalctl prints the same time stamps as dmesg with short-monotonic.
_COMMANDS = (("dmesg",), ("journalctl", "-k", "-b", "-o", "short-monotonic", "--no-pager"))
_PATIENCE_S = 5.0


def read_kernel_log() -> tuple[str | None, str]:
    """The messages of this boot, at most the last MiB, and a remark.

    Returns:
        The text and "" or what was cut off; or None and why there is none.
    """
    # Loaded here: a run that opens a capture never needs it.
    import os  # noqa: PLC0415
    import subprocess  # noqa: PLC0415

    tried = []
    for command in _COMMANDS:
        try:
            done = subprocess.run(  # noqa: S603 (fixed commands)
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE_S,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except FileNotFoundError:
            continue
        except (OSError, subprocess.TimeoutExpired):
            tried.append(f"{command[0]} does not answer")
            continue
        if done.returncode == 0 and done.stdout and not done.stdout.startswith(b"-- No entries"):
            end, was_cut = log_end(done.stdout)
            return decode(end), f"of the kernel log only the last {MAX_LOG // MIB} MiB was read" if was_cut else ""
        tried.append(f"{command[0]}: {_complaint(done.stderr)}")
    if any("not permitted" in why or "permission" in why.lower() for why in tried) and os.geteuid():
        return None, "permission denied; root reads it"
    return None, "; ".join(tried) or "neither dmesg nor journalctl is installed"


def _complaint(stderr: bytes) -> str:
    lines = decode(stderr).strip().splitlines()
    return lines[-1].rpartition(": ")[2] if lines else "prints nothing"
