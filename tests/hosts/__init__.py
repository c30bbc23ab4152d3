"""Disposable real Linux hosts for tests: QEMU guests with Debian kernels 5.10, 6.1, 6.12 and the newest.

Start one and get a shell in it, in one command::

    python -m tests.hosts shell 6.12 numa

In a test, ask the fixture `start_guest` and mark the test::

    @pytest.mark.hosts
    def test_something(start_guest):
        guest = start_guest("6.12", "normal")
        assert guest.run("cat /proc/sys/vm/swappiness") == "60\\n"

Guests are targets for Ansible too: `inventory(guest)` is the text of an inventory, and `guest.host`, `port`, `user`
and `key` are what any other client of ssh needs::

    from tests.hosts.inventory import inventory

    (tmp_path / "hosts.yml").write_text(inventory(guest))
    subprocess.run(["ansible", "-i", str(tmp_path / "hosts.yml"), guest.name, "-m", "ping"], check=True)

Tests that need a guest live in this folder: the fixtures are seen, and `make test-hosts` looks, nowhere else.
Those that take more than about ten seconds, or that another test says most of already, are marked `full` as well.

`make test-hosts` installs what is needed, builds the images and runs the quick tests, `make test-hosts-full`
all of them. Images, kernels and saved states lie in the user's cache folder (`MEMADVISOR_HOSTS_CACHE`, or
`~/.cache/memadvisor/hosts`); deleting it costs a few minutes. Each kernel boots once for each shape; after that
a saved state is restored in seconds.

Guests run without KVM (TCG), are reached by ssh on 127.0.0.1 only, cannot reach any network, and die with the
process that started them, however it ends.

| module | gives |
| --- | --- |
| `tools` | programs of this machine that are needed, and their installation |
| `cache` | folders that are built once |
| `debian`, `kernels`, `rootfs`, `initramfs` | what a guest is made of |
| `levels` | what the quick run takes |
| `shapes` | kinds of host: zones, nodes, swap, LRU |
| `machine` | one QEMU process |
| `ssh` | commands in a guest |
| `guest` | what a test holds in its hands |
| `inventory` | guests as targets for Ansible |
| `states` | boot once, save, restore |
| `scenarios` | pressure and its look-alikes, with the classes that are right |
| `verdict` | what `advisor check` says of a capture, held against a scenario |
"""
