"""Which drop-ins are links, and to where: however a capture is taken, kept and opened."""

import subprocess

from advisor.capture.live import capture_live
from advisor.capture.open import open_capture
from advisor.capture.redact import redact
from advisor.capture.shell import read_visit, script
from advisor.capture.write import write_capture
from advisor.persisted import files_of
from tests.capture_helpers import HOST, plant

LINKS = {
    "etc/sysctl.d/99-sysctl.conf": "../sysctl.conf",
    "etc/sysctl.d/50-off.conf": "/dev/null",
    "etc/sysctl.d/60-gone.conf": "/nowhere",
    "etc/tmpfiles.d/gone.conf": "nowhere",
}


def planted(folder):
    plant(
        folder, {**HOST, "etc/sysctl.conf": "vm.swappiness = 1\n", "etc/sysctl.d/10-a.conf": "", "etc/tmpfiles.d/a": ""}
    )
    for path, target in LINKS.items():
        (folder / path).symlink_to(target)
    return folder


def test_links_are_told_and_a_link_to_nothing_masks(tmp_path):
    capture = capture_live(0, 1, root=str(planted(tmp_path)), processes=False)
    assert capture.links == LINKS
    files = files_of(capture)
    assert files["etc/sysctl.d/99-sysctl.conf"] == "vm.swappiness = 1\n"
    assert [files[path] for path in LINKS if "gone" in path or "off" in path] == ["", "", ""]


def test_a_shell_tells_the_same(tmp_path):
    printed = subprocess.run(
        ["sh", "-c", script(root=str(planted(tmp_path)))], capture_output=True, text=True, check=True
    )
    assert read_visit(printed.stdout).links == LINKS


def test_they_are_kept_with_a_capture(tmp_path):
    capture = capture_live(0, 1, root=str(planted(tmp_path / "host")), processes=False)
    for name in ("folder", "archive.tar.gz"):
        write_capture(capture, str(tmp_path / name))
        assert open_capture(str(tmp_path / name)).links == LINKS


def test_a_bare_tree_has_them_too(tmp_path):
    planted(tmp_path / "host")
    subprocess.run(["tar", "-cf", tmp_path / "host.tar", "-C", tmp_path, "host"], check=True)
    assert open_capture(str(tmp_path / "host")).links == LINKS
    assert open_capture(str(tmp_path / "host.tar")).links == LINKS


def test_a_redacted_capture_masks_the_same_and_names_nobody(tmp_path):
    host = planted(tmp_path)
    private = {
        "etc/rc.local": "mount //nas/acme -o password=hunter2\n",
        "proc/sys/kernel/random/boot_id": "b007-acme\n",
        "var/lib/kubelet/config.yaml": "clusterName: acme\n",
        "etc/ufw/sysctl.conf": "# acme\nvm/swappiness=1\n",
        "etc/systemd/system/disable-acme.service": "ExecStart=acme\n",
    }
    plant(host, private)
    (host / "etc/sysctl.d/70-acme.conf").symlink_to("/srv/acme/70.conf")
    capture = redact(capture_live(0, 1, root=str(host), processes=False), b"k" * 32)
    assert sorted(files_of(capture).values()).count("") >= 3
    assert capture.links["etc/sysctl.d/99-sysctl.conf"] == "../sysctl.conf"
    told = repr((capture.samples, dict(capture.links), dict(capture.unread)))
    assert "acme" not in told
    assert "hunter2" not in told
    assert "vm/swappiness=1" in told
