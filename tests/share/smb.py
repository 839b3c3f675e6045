"""A thin SMB3 client over impacket that sends what Explorer sends, in the order it sends it.

impacket's own calls wait for each answer; `Session.write_all` does not: it puts several writes on
the wire, in any order, before it reads the first answer. Statuses are returned as names
("MEDIA_WRITE_PROTECTED"), so that a test can assert exactly which refusal a client sees.
"""
import os
import struct
import time

from impacket import nt_errors
from impacket.smb3 import SMB3, SessionError
from impacket.smb3structs import (
    FILE_CREATE, FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF,
    FILE_OVERWRITE_IF, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FSCTL_SRV_COPYCHUNK,
    FSCTL_SRV_REQUEST_RESUME_KEY, SMB2_0_IOCTL_IS_FSCTL, SMB2_0_INFO_FILE, SMB2_DIALECT_30,
    SMB2_FILE_BASIC_INFO, SMB2_FILE_DISPOSITION_INFO, SMB2_FILE_END_OF_FILE_INFO,
    SMB2_FILE_RENAME_INFO, SMB2_FILE_STANDARD_INFO, SMB2_WRITE, SMB2Write)

READ = 0x00120089  # FILE_GENERIC_READ
WRITE = 0x00120116  # FILE_GENERIC_WRITE
DELETE = 0x00010000
WRITE_ATTRIBUTES = 0x00000100
READ_ATTRIBUTES = 0x00000080
ATTRIBUTE_READONLY = 0x01
ATTRIBUTE_NORMAL = 0x80
SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
EPOCH = 11644473600  # seconds from 1601 to 1970


def filetime(seconds):
    return int((seconds + EPOCH) * 10_000_000)


def status_name(code):
    name = nt_errors.ERROR_MESSAGES.get(code, ("0x%08x" % code, ""))[0]
    return name.replace("STATUS_", "")


class Refused(Exception):
    """The server answered with an error status; str() is its name."""


class Session:
    def __init__(self, user, password, port, share="cases"):
        self.smb = SMB3("127.0.0.1", "127.0.0.1", sess_port=port, timeout=60,
                        preferredDialect=SMB2_DIALECT_30)
        self._call(self.smb.login, user, password)
        self.tree = self._call(self.smb.connectTree, share)

    @staticmethod
    def _call(function, *args, **kwargs):
        try:
            return function(*args, **kwargs)
        except SessionError as error:
            raise Refused(status_name(error.get_error_code())) from None

    def create(self, path, access=READ | WRITE | DELETE, disposition=FILE_OPEN_IF, folder=False,
               attributes=ATTRIBUTE_NORMAL, share=SHARE_ALL):
        options = FILE_DIRECTORY_FILE if folder else FILE_NON_DIRECTORY_FILE
        return self._call(self.smb.create, self.tree, path.replace("/", "\\"), access, share,
                          options, disposition, attributes)

    def close(self, handle):
        try:
            self._call(self.smb.close, self.tree, handle)
        except KeyError:
            pass  # impacket keeps handles by path and stumbles, after the answer, over a second one

    def set_info(self, handle, info_class, blob):
        self._call(self.smb.setInfo, self.tree, handle, inputBlob=blob,
                   infoType=SMB2_0_INFO_FILE, fileInfoClass=info_class)

    def set_end_of_file(self, handle, size):
        self.set_info(handle, SMB2_FILE_END_OF_FILE_INFO, struct.pack("<Q", size))

    def set_basic(self, handle, mtime=None, attributes=0):
        """mtime in seconds since 1970, None: unchanged; attributes 0: unchanged."""
        write = filetime(mtime) if mtime is not None else 0
        blob = struct.pack("<QQQQII", 0, 0, write, 0, attributes, 0)
        self.set_info(handle, SMB2_FILE_BASIC_INFO, blob)

    def set_delete(self, handle, delete=True):
        self.set_info(handle, SMB2_FILE_DISPOSITION_INFO, struct.pack("<B", delete))

    def rename(self, handle, path, replace=False):
        name = path.replace("/", "\\").encode("utf-16le")
        blob = struct.pack("<B7xQI", replace, 0, len(name)) + name
        self.set_info(handle, SMB2_FILE_RENAME_INFO, blob)

    def query(self, handle, info_class=SMB2_FILE_STANDARD_INFO):
        return self._call(self.smb.queryInfo, self.tree, handle, infoType=SMB2_0_INFO_FILE,
                          fileInfoClass=info_class)

    def size(self, handle):
        return struct.unpack_from("<QQ", self.query(handle))[1]

    def basic(self, handle):
        """(mtime in seconds, attributes)"""
        fields = struct.unpack_from("<QQQQI", self.query(handle, SMB2_FILE_BASIC_INFO))
        return fields[2] / 10_000_000 - EPOCH, fields[4]

    def flush(self, handle):
        self._call(self.smb.flush, self.tree, handle)

    def read(self, handle, offset, length):
        data = b""
        while len(data) < length:
            try:
                part = self.smb.read(self.tree, handle, offset + len(data), min(length - len(data), 65536))
            except SessionError as error:
                if status_name(error.get_error_code()) == "END_OF_FILE":
                    break
                raise Refused(status_name(error.get_error_code())) from None
            if not part:
                break
            data += part
        return data

    def send_write(self, handle, offset, data):
        """Puts one write on the wire; the answer is fetched by wait_write. Charges one credit for
        each 64 KiB by hand, as impacket counts only when it reads the answer."""
        packet = self.smb.SMB_PACKET()
        packet["Command"] = SMB2_WRITE
        packet["TreeID"] = self.tree
        charge = 1 + (len(data) - 1) // 65536
        packet["CreditCharge"] = charge
        write = SMB2Write()
        write["FileID"] = handle
        write["Length"] = len(data)
        write["Offset"] = offset
        write["WriteChannelInfoOffset"] = 0
        write["Buffer"] = data
        packet["Data"] = write
        message = self.smb.sendSMB(packet)
        self.smb._Connection["SequenceWindow"] += charge - 1
        return message

    def wait_write(self, message):
        # impacket charges the credits again when it reads an answer, but not one that came early.
        window = self.smb._Connection["SequenceWindow"]
        answer = self.smb.recvSMB(message)
        self.smb._Connection["SequenceWindow"] = window
        if answer["Status"] != 0:
            raise Refused(status_name(answer["Status"]))

    def write_all(self, handle, pieces, outstanding=8):
        """pieces: (offset, data) in wire order; up to `outstanding` are unanswered at a time."""
        waiting = []
        for offset, data in pieces:
            waiting.append(self.send_write(handle, offset, data))
            if len(waiting) >= outstanding:
                self.wait_write(waiting.pop(0))
        for message in waiting:
            self.wait_write(message)

    def copy_chunks(self, source, target, length):
        """FSCTL_SRV_COPYCHUNK: the server copies by itself."""
        key = self._call(self.smb.ioctl, self.tree, source, FSCTL_SRV_REQUEST_RESUME_KEY,
                         flags=SMB2_0_IOCTL_IS_FSCTL, maxOutputResponse=32)[:24]
        blob = key + struct.pack("<IIQQII", 1, 0, 0, 0, length, 0)
        answer = self._call(self.smb.ioctl, self.tree, target, FSCTL_SRV_COPYCHUNK,
                            flags=SMB2_0_IOCTL_IS_FSCTL, inputBlob=blob, maxOutputResponse=12)
        return struct.unpack("<III", answer[:12])[2]

    def cut(self):
        """Drops the TCP connection, as a pulled cable would look after its time-out."""
        self.smb._NetBIOSSession.get_socket().close()

    def get(self, path):
        handle = self.create(path, READ, FILE_OPEN)
        try:
            return self.read(handle, 0, self.size(handle) + 1)
        finally:
            self.close(handle)

    def put(self, path, data, disposition=FILE_OVERWRITE_IF):
        handle = self.create(path, READ | WRITE, disposition)
        self.write_all(handle, [(at, data[at:at + 65536]) for at in range(0, len(data), 65536)])
        self.close(handle)

    def mkdir(self, path):
        self.close(self.create(path, READ | DELETE, FILE_CREATE, folder=True))

