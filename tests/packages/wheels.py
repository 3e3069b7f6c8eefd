"""Writes Python packages for the tests into a folder, with the same bytes each time:

    python3 wheels.py FOLDER MARK

harbour 1.0 and 1.1 (with the console script `harbour`), lighthouse 2.0 (needs harbour>=1), tomorrow
1.0 (needs a Python that does not exist yet), and evil 1.0, only as a source distribution, whose
setup.py creates the file MARK.
"""
import base64
import gzip
import hashlib
import io
import pathlib
import sys
import tarfile
import zipfile

DATE = (2020, 1, 1, 0, 0, 0)
HARBOUR = "VERSION = '{version}'\n\n\ndef main():\n    print('harbour', VERSION)\n"
LIGHTHOUSE = "import harbour\n\n\ndef shine():\n    return 'over harbour ' + harbour.VERSION\n"
# It does not matter if it cannot: then the file is missing, too.
SETUP = """import setuptools
try:
    open({mark!r}, "w").close()
except OSError:
    pass
setuptools.setup(name="evil", version="1.0", py_modules=["evil"])
"""


def write_wheel(folder, name, version, module, metadata="", scripts=""):
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\n"
                         "Tag: py3-none-any\n",
    }
    if scripts:
        files[f"{info}/entry_points.txt"] = f"[console_scripts]\n{scripts}\n"
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f"{path},sha256={digest.rstrip(b'=').decode()},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path, DATE)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, text)


def write_sdist(folder, name, version, files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{path}")
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    (folder / f"{name}-{version}.tar.gz").write_bytes(gzip.compress(raw.getvalue(), mtime=0))


def main():
    folder, mark = pathlib.Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    for version in ("1.0", "1.1"):
        write_wheel(folder, "harbour", version, HARBOUR.format(version=version),
                    scripts="harbour = harbour:main")
    write_wheel(folder, "lighthouse", "2.0", LIGHTHOUSE, "Requires-Dist: harbour>=1\n")
    write_wheel(folder, "tomorrow", "1.0", "", "Requires-Python: >=99\n")
    write_sdist(folder, "evil", "1.0", {
        "setup.py": SETUP.format(mark=mark),
        "evil.py": "VERSION = '1.0'\n",
        "PKG-INFO": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
    })


main()
