"""The disk of the contest's guests: servers from Debian's packages with their data, and TuneD."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from tests.hosts.rootfs import Image

_HERE = Path(__file__).parent
_PACKAGES = ("gcc", "libc6-dev", "openjdk-17-jdk-headless", "postgresql", "redis-server", "tuned", "virt-what")

PG_SCALE = 8
"""Of pgbench: 8 times 100,000 accounts, 120 MB with their index."""

REDIS_KEYS, REDIS_BYTES = 52_000, 2048
"""A data set of about 120 MB."""

_SOURCES = {"JAVA": "Load.java", "CLIENT": "client.c", "HEADER": "../load.h", "LOAD": "../effect/load.c"}

# All of this runs at the speed of this machine; the guests are emulated, and would take minutes.
_FINISH = """
mkdir -p /srv/pg /srv/redis /srv/jvm
for name in hot index; do dd if=/dev/urandom of=/srv/$name bs=1M count=24 2> /dev/null; done
for tenant in 1 2 3 4 5 6 7 8 9 10 11 12; do dd if=/dev/urandom of=/srv/tenant$tenant bs=1M count=6 2> /dev/null; done
dd if=/dev/urandom of=/srv/stream bs=1M count=600 2> /dev/null

chown postgres /srv/pg
cat > /tmp/pg <<'END'
set -e
cd /tmp
P=$(echo /usr/lib/postgresql/*/bin)
$P/initdb -D /srv/pg -A trust --no-sync -E UTF8 --locale=C > /dev/null
cat >> /srv/pg/postgresql.conf <<'CONF'
listen_addresses = ''
unix_socket_directories = '/tmp'
shared_buffers = 64MB
max_wal_size = 64MB
checkpoint_timeout = 30s
CONF
$P/pg_ctl -D /srv/pg -w -l /tmp/pg.log start
$P/pgbench -h /tmp -i -q -s @SCALE@ postgres
$P/psql -q -h /tmp postgres -c 'checkpoint'
$P/pg_ctl -D /srv/pg -w stop
END
su postgres -s /bin/sh -c 'sh -e /tmp/pg'

cat > /srv/redis/redis.conf <<'END'
bind 127.0.0.1
port 6379
dir /srv/redis
save ""
rdbcompression no
rdbchecksum no
enable-debug-command yes
END
chmod 755 /srv/redis
redis-server /srv/redis/redis.conf --daemonize yes > /dev/null
until redis-cli ping > /dev/null 2>&1; do sleep 0.1; done
redis-cli debug populate @KEYS@ key @BYTES@ > /dev/null
redis-cli save > /dev/null
redis-cli shutdown nosave

cd /srv
echo @JAVA@ | base64 -d > jvm/Load.java
javac -d jvm jvm/Load.java
echo @HEADER@ | base64 -d > load.h
echo @LOAD@ | base64 -d > load.c
echo @CLIENT@ | base64 -d > client.c
for name in load client; do gcc -O2 -Wall -o $name $name.c; done
apt-get -qq clean
"""


def image() -> Image:
    """The disk, built when a guest asks for it."""
    words = {"SCALE": PG_SCALE, "KEYS": REDIS_KEYS, "BYTES": REDIS_BYTES}
    words |= {word: base64.b64encode((_HERE / name).read_bytes()).decode() for word, name in _SOURCES.items()}
    finish = re.sub("@([A-Z]+)@", lambda found: str(words[found[1]]), _FINISH)
    return Image("contest", 3000, _PACKAGES, finish)
