"""A Slurm cluster on this one machine: munge, one controller and two nodes that are processes of their own.

Its configuration is a link in /etc/slurm, because Snakemake's plugin takes SLURM_CONF out of the environment of jobs.
Where there is one already nothing is started. Debian: apt-get install slurm-wlm munge.
"""

import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = """\
ClusterName=trml
SlurmctldHost=localhost
SlurmctldPort=17100
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed.txt
MinJobAge=3600
ReturnToService=2
NodeName=n[1-2] NodeHostname={host} NodeAddr=127.0.0.1 Port=[17101-17102] CPUs=4 RealMemory=20000
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
PLACE = Path("/etc/slurm/slurm.conf")
DAEMONS = ("munged", "slurmctld", "slurmd")


def reason_to_skip() -> str | None:
    """Return why no cluster can be started here; None if one can."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root"
    if PLACE.exists():
        return f"{PLACE} exists: this machine has a cluster of its own"
    absent = [name for name in DAEMONS if shutil.which(name) is None]
    return f"{', '.join(absent)} not found; on Debian: apt-get install slurm-wlm munge" if absent else None


class Slurm:
    """A running cluster of two nodes with four cores each, whatever the machine has.

    Args:
        folder: Of its configuration, state and logs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "state").mkdir(parents=True)
        (folder / "slurm.conf").write_text(CONFIGURATION.format(folder=folder, host=platform.node()))
        PLACE.unlink(missing_ok=True)  # that of a test which was killed
        PLACE.symlink_to(folder / "slurm.conf")
        _start_munge()
        self("slurmctld")
        wait_until((folder / "slurmctld.pid").exists, "the controller to start")
        for node in ("n1", "n2"):
            self("slurmd", "-N", node)
        wait_until(lambda: "idle" in self("sinfo", "--noheader", "--format=%A %T"), "the nodes to be idle")

    def __call__(self, *command: str) -> str:
        """Run a command of Slurm and return what it prints."""
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self, state: str) -> list[tuple[str, str]]:
        """Return id and comment, which names the rule, of the jobs in a state."""
        lines = self("squeue", "--noheader", f"--states={state}", "--format=%i %k").splitlines()
        return [(job, comment) for job, _, comment in (line.partition(" ") for line in lines)]

    def stop(self) -> None:
        """End what is still running, then the daemons."""
        self("scancel", "--user=root")
        for path in sorted(self.folder.glob("*.pid"), reverse=True):  # the nodes before the controller
            os.kill(int(path.read_text()), signal.SIGTERM)
        wait_until(lambda: not any(self.folder.glob("*.pid")), "the daemons to end")
        PLACE.unlink()


def wait_until(met: Callable[[], object], what: str, seconds: float = 300) -> None:
    """Wait for a condition.

    Raises:
        TimeoutError: After so many seconds.
    """
    end = time.monotonic() + seconds
    while not met():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.5)


def _start_munge() -> None:
    if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
        return
    for folder in ("/run/munge", "/var/log/munge", "/var/lib/munge"):
        Path(folder).mkdir(exist_ok=True)
        shutil.chown(folder, "munge", "munge")
    subprocess.run(["runuser", "-u", "munge", "--", "munged"], check=True)
