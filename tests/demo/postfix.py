"""A real Postfix that receives, as strict as Postfix can be, with a queue and a configuration of its own.

    in      folder, address and port to listen at, its host name, the domains that it takes mail for
    out     one Maildir with every message that it accepted (its headers Return-Path and Delivered-To tell the envelope); a log
    needs   root, itself or by sudo: Postfix's master does not run without
    errors  WorldError
"""
import contextlib
import email.parser
import os
import pathlib
import pwd
import re
import smtplib
import subprocess

from processes import WorldError, as_root, tail, wait_until
from reconcile import Arrival, message_of

STRICT = """
mynetworks =
smtpd_forbid_bare_newline = yes
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = yes
strict_rfc821_envelopes = yes
smtpd_helo_required = yes
disable_vrfy_command = yes
smtpd_client_restrictions = reject_unauth_pipelining
smtpd_helo_restrictions = reject_unauth_pipelining, reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_restrictions = reject_unauth_pipelining, reject_non_fqdn_sender
smtpd_relay_restrictions = reject_unauth_pipelining, reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_pipelining, reject_non_fqdn_recipient, reject_unauth_destination
smtpd_data_restrictions = reject_unauth_pipelining, reject_multi_recipient_bounce
smtpd_end_of_data_restrictions = reject_unauth_pipelining
"""

SERVICES = """
{listen} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    def __init__(self, folder, address, port, host, domains):
        self.folder = pathlib.Path(folder).resolve()
        self.address, self.port, self.host, self.domains = address, port, host, list(domains)
        self.conf, self.maildir, self.log = self.folder / "conf", self.folder / "mail" / "all", self.folder / "log" / "postfix.log"

    def __enter__(self):
        self._configure()
        self._postfix("start")
        try:
            wait_until(self._greets, 20, f"Postfix listens at {self.address}:{self.port}")
        except WorldError as error:
            self.__exit__()
            raise WorldError(f"{error}\n{tail(self.log)}") from None
        return self

    def __exit__(self, *_):
        subprocess.run(self.stop_command(), capture_output=True, timeout=60)
        with contextlib.suppress(WorldError):
            wait_until(lambda: not self._greets(), 20, "Postfix has stopped")

    def stop_command(self):
        return as_root(["/usr/sbin/postfix", "-c", str(self.conf), "stop"])

    def _greets(self):
        # A polite look: a connection that just drops would stand in the log as the client's fault.
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP(self.address, self.port, timeout=5):
            return True
        return False

    def messages(self):
        """(label, function that reads it, with CRLF line ends) of each message in the Maildir."""
        for path in self._files():
            yield f"postfix/{path.name}", lambda path=path: path.read_bytes().replace(b"\n", b"\r\n")

    def arrivals(self):
        return [Arrival(message_of(head["Return-Path"].strip("<>")), head["Delivered-To"], "postfix") for head in self._heads()]

    def count(self):
        return len(self._files())

    def _files(self):
        folder = self.maildir / "new"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _heads(self):
        for path in self._files():
            with path.open("rb") as file:
                yield email.parser.BytesHeaderParser().parse(file)

    def log_text(self):
        try:
            return self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def complaints(self):
        """Lines that a postmaster would have to read: warnings, errors, rejections, protocol faults."""
        bad = re.compile(r"(warning|error|fatal|panic): |NOQUEUE|reject|improper command pipelining|lost connection|timeout after|too many errors")
        return [line for line in self.log_text().splitlines() if bad.search(line)]

    def tls_connections(self):
        return re.findall(r"TLS connection established from \S+: (TLSv\S+)", self.log_text())

    def _postfix(self, verb):
        run = subprocess.run(as_root(["/usr/sbin/postfix", "-c", str(self.conf), verb]), capture_output=True, text=True, timeout=60)
        if run.returncode != 0:
            raise WorldError(f"postfix {verb} failed: {run.stderr.strip()}\n{tail(self.log)}")

    def _configure(self):
        # inet_interfaces wants an address that an interface has as its own; where smtpd listens is master.cf's word.
        for folder in ("conf", "queue", "data", "mail", "log", "tls"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        make_certificate(self.folder / "tls", self.host)
        owner = pwd.getpwnam("postfix" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        (self.conf / "master.cf").write_text(SERVICES.format(listen=f"{self.address}:{self.port}").lstrip())
        (self.conf / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {self.log}
maillog_file_prefixes = {self.folder}/log
myhostname = {self.host}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
relay_domains =
virtual_alias_maps =
virtual_mailbox_domains = {", ".join(self.domains)}
virtual_mailbox_base = {self.folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_mailbox_limit = 0
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_tls_security_level = may
smtpd_tls_cert_file = {self.folder}/tls/cert.pem
smtpd_tls_key_file = {self.folder}/tls/key.pem
smtpd_tls_loglevel = 1
{STRICT}""")
        prepare = f"chown -R root:root {self.conf} {self.folder}/queue && chown postfix {self.folder}/data && chown {owner.pw_uid} {self.folder}/mail"
        run = subprocess.run(as_root(["sh", "-c", prepare]), capture_output=True, text=True, timeout=30)
        if run.returncode != 0:
            raise WorldError(f"Postfix needs root, itself or by sudo without a password: {run.stderr.strip()}")


def make_certificate(folder, host):
    """cert.pem and key.pem, signed by itself."""
    run = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                          "-addext", f"subjectAltName=DNS:{host}", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"],
                         capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise WorldError(f"openssl made no certificate: {run.stderr.strip()}")
