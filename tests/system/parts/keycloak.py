"""Keycloak: the distribution from Maven Central, with a realm of ours, over TLS on loopback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tests.system.parts.cache import MACHINE, Missing, made, program, run
from tests.system.parts.ports import loopback_port
from tests.system.parts.processes import running, wait_until
from tests.system.parts.provider import RunningProvider, serves, tls_files

PART = "keycloak"
VERSION = "26.7.3"
HOW = "install a JDK 17 or later and Maven (apt-get install default-jdk-headless maven)"
REALM = Path(__file__).parent.parent / "keycloak" / "realm.json"

# What Keycloak fixes when it is built, not when it is started. A cache that is not local would open a port for other
# members of a cluster, on every address of the machine.
BUILD_OPTIONS = ("--db=dev-file", "--cache=local", "--health-enabled=false", "--metrics-enabled=false")
DATABASE = "--db-url=jdbc:h2:file:{};NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE"

# bin/kc.sh stays there as the parent of the JVM, whose process id we want. These are the options that it gives, but
# for the collector and the compiler, which are chosen for a server that lives for minutes.
JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
    "-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
    "-Dpicocli.disable.closures=true",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)


def java() -> str:
    """Return the Java that runs Keycloak: of JAVA_HOME where it is set, as Keycloak's own script does."""
    home = MACHINE.get("JAVA_HOME")
    found = f"{home}/bin/java" if home else program("java", PART, HOW)
    version = re.search(r'version "(\d+)', _version_text(found))
    if version is None or int(version[1]) < 17:
        raise Missing(PART, f"{found} is older than Java 17; {HOW}")
    return found


def install() -> Path:
    """Return a directory with Keycloak, built for our options, and its database with our realm in it."""
    digest = sha256(REALM.read_bytes() + "".join(BUILD_OPTIONS).encode()).hexdigest()[:12]
    return made(f"{PART}-{VERSION}-{digest}", _install)


def _install(directory: Path) -> None:
    maven = program("mvn", PART, HOW)
    artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    copy = f"-DoutputDirectory={directory}"
    run(PART, [maven, "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={artifact}", copy])
    archive = directory / f"keycloak-quarkus-dist-{VERSION}.zip"
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(directory)
    archive.unlink()
    (directory / f"keycloak-{VERSION}").rename(directory / "home")
    run(PART, _command(directory, "build", *BUILD_OPTIONS), cwd=directory)
    # An import takes as long as all the rest of a start: it is done once, and every server starts on a copy.
    database = DATABASE.format(directory / "database" / "keycloak")
    realm = directory / "realm"
    realm.mkdir()
    shutil.copy(REALM, realm / "prod-realm.json")
    run(PART, _command(directory, "import", "--optimized", f"--dir={realm}", database), cwd=directory)


@contextmanager
def keycloak(directory: Path, *, owner: str | None = None) -> Iterator[RunningProvider]:
    """Start Keycloak on a copy of the database; its realm is `prod`."""
    installed = install()
    shutil.copytree(installed / "database", directory / "keycloak-database")
    ca, certificate, key = tls_files(directory, PART)
    port = loopback_port()
    issuer = f"https://localhost:{port}/realms/prod"
    command = _command(
        installed,
        "start",
        "--optimized",
        DATABASE.format(directory / "keycloak-database" / "keycloak"),
        "--http-enabled=false",
        "--http-host=127.0.0.1",
        f"--https-port={port}",
        f"--https-certificate-file={certificate}",
        f"--https-certificate-key-file={key}",
        f"--hostname=https://localhost:{port}",
        # Else in the installation, which all servers share.
        options=(f"-Dquarkus.transaction-manager.object-store.directory={directory / 'keycloak-transactions'}",),
    )
    with running(PART, command, directory=directory, environ=MACHINE, owner=owner) as server:
        wait_until(lambda: serves(issuer, ca), "realm of Keycloak", within_s=180, server=server, every_s=0.25)
        people = {user["username"]: user["id"] for user in json.loads(REALM.read_text())["users"]}
        yield RunningProvider(
            name=PART,
            issuer=issuer,
            ca_file=ca,
            preset=PART,
            mfa="gold",
            password_only="silver",
            username_claim="preferred_username",
            scope="openid",
            accounts=people,
        )


def _command(installed: Path, *words: str, options: Sequence[str] = ()) -> list[str | Path]:
    home = installed / "home"
    return [
        java(),
        *JVM_OPTIONS,
        *options,
        f"-Dkc.home.dir={home}",
        f"-Djboss.server.config.dir={home / 'conf'}",
        "-cp",
        home / "lib" / "quarkus-run.jar",
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
        *words,
    ]


def _version_text(path: str) -> str:
    try:
        done = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise Missing(PART, f"{path} cannot be run ({error}); {HOW}") from error
    return done.stderr + done.stdout
