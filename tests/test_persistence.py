"""What our own reading of sysctl.d makes of the cases, against what programs made of them in a guest."""

import pytest

from advisor.capture.live import capture_live
from advisor.outlook import Boot, written
from advisor.persisted import files_of
from advisor.tunables import TUNABLES, features_of
from tests.fixtures import capture_files
from tests.persistence import CASES, LIKE, START, WRITE_START, WRITES, measured

READERS = {"systemd 252": "boot", "procps 4.0.2": "system", "procps 3.3.17": "old_system"}
MEASURED = measured()

# A capture holds files and links; that a folder has the name of a file is not to be seen in it.
NOT_SEEN = {"a folder with the name of a file"}


def host_of(case, folder):
    """A capture of a host with the files of a case."""
    for path in ("proc/vmstat", "proc/sys/vm/swappiness"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(capture_files("6.12", "idle")[path])
    for path, text in case.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for path, target in case.links.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to(target)
    return capture_live(0, 1, root=str(folder), processes=False)


def told(outlooks, reader):
    """The value of each setting after a program has applied the files, as we tell it."""
    values = {}
    for key, start in START.items():
        end = getattr(outlooks[key], READERS[reader])
        twin = [getattr(outlooks[other], READERS[reader]) for other in TUNABLES[key].coupled]
        if end.by is None and any(other.by is not None for other in twin):
            values[key] = 0  # only its twin is set
        else:
            values[key] = start if end.by is None else written(TUNABLES[key], end.value)
    return values


def ours(case, folder):
    """What we tell of a case, in the form of the measurement."""
    boot = Boot(files_of(host_of(case, folder)), features_of(capture_files("6.12", "idle"), ["pgscan_anon"]))
    outlooks = {key: boot.of(TUNABLES[key]) for key in START}
    return {reader: told(outlooks, reader) for reader in READERS}


@pytest.mark.parametrize("name", CASES)
def test_we_tell_what_programs_really_do(name, tmp_path):
    assert (ours(CASES[name], tmp_path) == MEASURED[name]) == (name not in NOT_SEEN)


def ours_below_sys(case, folder):
    """What we tell of a case of tmpfiles.d."""
    end = Boot(files_of(host_of(case, folder))).of(TUNABLES["thp.enabled"]).boot
    return WRITE_START if end.by is None else end.value


@pytest.mark.parametrize("name", WRITES)
def test_we_tell_what_tmpfiles_really_does(name, tmp_path):
    (found,) = MEASURED[f"tmpfiles: {name}"].values()
    assert ours_below_sys(WRITES[name], tmp_path) == found["thp.enabled"]


def test_the_situations_of_the_compliance_checks_are_all_there():
    assert len(LIKE) == 30
    assert set(MEASURED) == {*CASES, *(f"tmpfiles: {name}" for name in WRITES)}
    assert all(set(MEASURED[name]) == set(READERS) for name in CASES)


def test_a_zero_of_overcommit_kbytes_is_taken_and_leaves_the_swap_only():
    files = {"etc/sysctl.d/a.conf": "vm.overcommit_ratio = 80\nvm.overcommit_kbytes = 0\n"}
    end = Boot(files).of(TUNABLES["vm.overcommit_ratio"]).boot
    assert (end.value, end.undone_by) == ("0", "vm.overcommit_kbytes")
