"""listing.py AVOCET DRIVER SITE FOLDER SHOTS: Chromium walks through a listing.

It goes on from browser.py. SITE is the URL of the server of FOLDER. Screenshots go to SHOTS.
"""

import base64
import pathlib
import sys
import wave

site, folder, shots = sys.argv[3:]
folder, shots = pathlib.Path(folder), pathlib.Path(shots)
here = folder.parent
downloads = here / "downloads"
downloads.mkdir()


class Listing(Browser):
    def names(self):
        """The names in the listing, in their order."""
        rows = "return [...document.querySelectorAll('tbody tr:not(.up) td:first-child a')]"
        return self.run(rows + ".map(a => decodeURIComponent(a.getAttribute('href').slice(2)))")

    def shoot(self, name):
        data = base64.b64decode(ask("GET", self.path + "/screenshot"))
        assert data.startswith(b"\x89PNG") and len(data) > 5000, f"{name}: {len(data)} bytes"
        (shots / f"{name}.png").write_bytes(data)


def walk(browser):
    browser.open(site)
    assert browser.run("return document.title") == "/"
    assert browser.names()[0] == "deep/", browser.names()
    browser.shoot("listing")
    browser.click(browser.link("deep/"))
    until("the folder", lambda: browser.run("return location.pathname") == "/deep/")
    browser.click(browser.link("deeper/"))
    until("the folder", lambda: browser.run("return location.pathname") == "/deep/deeper/")
    assert browser.names() == ["leaf.txt"]
    browser.shoot("deeper")
    browser.click(browser.link("deep"))
    until("the way up", lambda: browser.run("return location.pathname") == "/deep/")
    browser.click(browser.link(".."))
    until("the top", lambda: browser.run("return location.pathname") == "/")
    for name in ODD:
        browser.open(site)
        browser.click(browser.link(name))
        text = until("the text", lambda: browser.run("return document.body.innerText"))
        assert text.strip() == f"This is {name}.", (name, text)
    print("walked up and down, names of every kind")


def sort_and_search(browser):
    browser.open(site)
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    browser.click(browser.link("Size"))
    until("sorting", lambda: "sort=size" in browser.run("return location.search"))
    files = [name for name in browser.names() if not name.endswith("/")]
    assert [sizes[name] for name in files] == sorted(sizes.values()), files
    browser.click(browser.link("Size"))
    until("sorting", lambda: "order=desc" in browser.run("return location.search"))
    files = [name for name in browser.names() if not name.endswith("/")]
    assert [sizes[name] for name in files] == sorted(sizes.values(), reverse=True), files
    browser.type(browser.find("input[name=q]"), "bird")
    browser.click(browser.find("form[role=search] button"))
    until("the search", lambda: "q=bird" in browser.run("return location.search"))
    assert browser.names() == ["blackbird.txt", "bird.txt"], browser.names()
    assert "order=desc" in browser.run("return location.search"), "the order is forgotten"
    browser.shoot("search")
    print("sorted both ways, searched")


def looks(browser):
    browser.open(site)
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    light = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.devtools("Emulation.setEmulatedMedia", features=dark)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") != light
    browser.shoot("dark")
    browser.devtools("Emulation.setEmulatedMedia", features=[])
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.devtools("Emulation.setDeviceMetricsOverride", **phone)
    browser.open(site)
    width = browser.run("return document.documentElement.scrollWidth")
    assert width <= 390, f"{width} pixels on a phone of 390"
    heights = browser.run(
        "return [...document.querySelectorAll('tbody td:first-child a')]"
        ".map(a => a.getBoundingClientRect().height)"
    )
    assert min(heights) >= 32, f"links too low for a finger: {heights}"
    browser.shoot("phone")
    browser.devtools("Emulation.clearDeviceMetricsOverride")
    print("dark where it is wanted, narrow on a phone")


def download(browser):
    browser.open(site)
    browser.click(browser.link("data.bin"))
    got = downloads / "data.bin"
    size = (folder / "data.bin").stat().st_size
    until("the download", lambda: got.exists() and got.stat().st_size == size)
    assert got.read_bytes() == (folder / "data.bin").read_bytes()
    print("downloaded")


def upload(browser):
    browser.open(site + "deep/")
    source = here / "caf\u00e9 & co.txt"
    source.write_text("coffee\n")
    browser.type(browser.find("input[type=file]"), str(source))
    browser.shoot("upload")
    browser.click(browser.find("form[enctype] button"))
    until("the upload", lambda: source.name in browser.names())
    assert (folder / "deep" / source.name).read_text() == "coffee\n"
    browser.type(browser.find("input[name=name]"), "new nest")
    browser.click(browser.find("button[value=mkdir]"))
    until("the folder", lambda: "new nest/" in browser.names())
    assert (folder / "deep" / "new nest").is_dir()
    print("uploaded, made a folder")


# Noise, since a film that fits into one answer would be taken from the cache.
RECORD = """
const done = arguments[0], canvas = document.createElement('canvas');
canvas.width = 320; canvas.height = 180;
const pen = canvas.getContext('2d'), picture = pen.createImageData(320, 180), pieces = [];
const recorder = new MediaRecorder(canvas.captureStream(25), {
    mimeType: 'video/webm;codecs=vp8', videoBitsPerSecond: 2e7,
});
recorder.ondataavailable = event => pieces.push(event.data);
recorder.onstop = () => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(',')[1]);
    reader.readAsDataURL(new Blob(pieces));
};
let step = 0;
const drawing = setInterval(() => {
    for (let at = 0; at < picture.data.length; at += 65536)
        crypto.getRandomValues(picture.data.subarray(at, at + 65536));
    pen.putImageData(picture, 0, 0);
    pen.fillStyle = `hsl(${step * 9} 80% 50%)`;
    pen.fillRect(20, 20, 120, 60);
    if (++step > 60) { clearInterval(drawing); recorder.stop(); }
}, 40);
recorder.start();
"""

SEEK = """
const done = arguments[0], media = document.querySelector('video');
const seek = () => {
    media.addEventListener('seeked', () => done([media.currentTime, media.duration]), {once: true});
    media.currentTime = media.duration * 0.75;
};
media.readyState >= 1 ? seek() : media.addEventListener('loadedmetadata', seek, {once: true});
"""


def play(browser):
    # The browser itself makes the film, so that nobody has to bring one.
    browser.open("about:blank")
    (folder / "film.webm").write_bytes(base64.b64decode(browser.run_async(RECORD)))
    browser.open(site)
    browser.click(browser.link("film.webm"))
    video = "document.querySelector('video')"
    until("the film", lambda: browser.run(f"return {video} && {video}.videoWidth === 320"))
    browser.run(f"{video}.play()")
    until("playing", lambda: browser.run(f"return {video}.currentTime > 0.3"))
    browser.shoot("film")
    # Seeking in what has not come yet makes a request for the middle of the file.
    browser.open(site)
    browser.click(browser.link("long.wav"))
    until("the sound", lambda: browser.run(f"return !!{video}"))
    at, duration = browser.run_async(SEEK)
    assert abs(at - 0.75 * duration) < 1, (at, duration)
    print(f"played a film of {(folder / 'film.webm').stat().st_size} bytes, sought in a sound")


ODD = ["100% #1?.txt", "<b>bold & \"quoted\".txt", "\u00fcber \u65e5\u672c.txt", "a:b;c.txt"]


def fill():
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "deep" / "deeper" / "leaf.txt").write_text("leaf\n")
    for name in ODD:
        (folder / name).write_text(f"This is {name}.\n")
    (folder / "bird.txt").write_text("bird\n")
    (folder / "blackbird.txt").write_text("blackbird\n" * 200)
    (folder / "data.bin").write_bytes(bytes(range(256)) * 5000)
    (folder / "README.md").write_text("# Birds\n\nWhat was seen <in> the reeds.\n")
    with wave.open(str(folder / "long.wav"), "wb") as sound:
        sound.setparams((2, 2, 44100, 0, "NONE", ""))
        sound.writeframes(bytes(44100 * 4 * 120))


fill()
browser = Listing(here / "profile", {"download.default_directory": str(downloads)})
try:
    walk(browser)
    sort_and_search(browser)
    looks(browser)
    download(browser)
    upload(browser)
    play(browser)
finally:
    browser.end()
