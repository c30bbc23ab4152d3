# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all modules of this collection say about check mode, diff mode and platforms."""


class ModuleDocFragment:
    """Texts that modules take over with C(extends_documentation_fragment: memadvisor.linux.attributes)."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Tells in check mode what it would do, without changing the target.
  diff_mode:
    description: Shows in diff mode what has changed, or in check mode what would change.
  platform:
    description: The operating systems of targets that it can be used with.
    platforms: linux
    support: full
"""
