"use strict";
/* Compares a folder with the list of its record, on this computer only. */
(() => {
  const of = (id) => document.getElementById(id);
  const said = JSON.parse(of("list").textContent);
  const RECORD = "incident.json", PAGE = "incident.html", SIGNED = ".sig", DISPOSAL = "incident.disposed.json";
  const LITTER = new Set(["thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"]);
  const SLICE = 4 << 20, WHOLE = 64 << 20, MOST_RECORD = 256 << 20, MOST_SIGNATURE = 4096;
  const subtle = globalThis.crypto && crypto.subtle;
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

  /* SHA-256 piece by piece (FIPS 180-4): WebCrypto takes a file as a whole only. */
  const K = [], H = [];
  for (let n = 2; K.length < 64; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    const bits = (root) => ((root - Math.floor(root)) * 4294967296) | 0;
    if (H.length < 8) H.push(bits(Math.sqrt(n)));
    K.push(bits(Math.cbrt(n)));
  }
  class Sha256 {
    constructor() { this.h = Int32Array.from(H); this.w = new Int32Array(64); this.rest = new Uint8Array(64); this.have = 0; this.size = 0; }
    update(data) {
      this.size += data.length;
      let at = 0;
      if (this.have) {
        at = Math.min(64 - this.have, data.length);
        this.rest.set(data.subarray(0, at), this.have);
        this.have += at;
        if (this.have < 64) return this;
        this.block(this.rest, 0);
        this.have = 0;
      }
      for (; at + 64 <= data.length; at += 64) this.block(data, at);
      this.rest.set(data.subarray(at));
      this.have = data.length - at;
      return this;
    }
    block(data, at) {
      const w = this.w, s = this.h;
      for (let i = 0; i < 16; i++, at += 4)
        w[i] = data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3];
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
          + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
      }
      let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
      for (let i = 0; i < 64; i++) {
        const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g) + K[i] + w[i] | 0;
        const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
        h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
      }
      s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
    }
    hex() {
      const bits = this.size * 8, end = new Uint8Array((this.have < 56 ? 64 : 128) - this.have);
      end[0] = 128;
      const view = new DataView(end.buffer);
      view.setUint32(end.length - 8, Math.floor(bits / 4294967296));
      view.setUint32(end.length - 4, bits >>> 0);
      this.update(end);
      return Array.from(this.h, (each) => (each >>> 0).toString(16).padStart(8, "0")).join("");
    }
  }

  const hashed = async (data) => subtle ? hex(await subtle.digest("SHA-256", data)) : new Sha256().update(new Uint8Array(data)).hex();
  const hashFile = async (file, tell) => {
    if (subtle && file.size <= WHOLE) {
      const data = await file.arrayBuffer();
      tell(file.size);
      return hashed(data);
    }
    const sha = new Sha256();
    for (let at = 0; at < file.size; at += SLICE) {
      const data = new Uint8Array(await file.slice(at, at + SLICE).arrayBuffer());
      sha.update(data);
      tell(data.length);
    }
    return sha.hex();
  };

  /* The signature's file: whose key, and whether it holds; null where it cannot be told. */
  const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const readSignature = async (file, data, sha) => {
    if (!file || file.size > MOST_SIGNATURE) return null;
    const lines = {};
    for (const line of (await file.text()).split("\n")) {
      const found = /^([a-z0-9-]{1,40}): ([!-~]{1,200})$/.exec(line);
      if (found) lines[found[1]] = found[2];
    }
    let key, signature;
    try { key = fromBase64(lines["public-key"]); signature = fromBase64(lines.signature); } catch { return null; }
    const found = { key: lines["public-key"], id: (await hashed(key.buffer)).slice(0, 16), holds: null };
    if (lines.sha256 !== sha) return { ...found, holds: false };
    try {
      const made = await subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
      found.holds = await subtle.verify({ name: "Ed25519" }, made, signature, data);
    } catch { /* an older browser: `evidenced verify` can */ }
    return found;
  };

  const tellOf = (element, text, mood) => { element.textContent = text; element.className = mood; };
  const line = (text, mood) => {
    const made = document.createElement("li");
    tellOf(made, text, mood || "");
    of("findings").append(made);
  };
  const cells = new Map(Array.from(document.querySelectorAll("[data-file]"), (cell) => [cell.dataset.file, cell]));
  const sameList = (a, b) => a.length === b.length && a.every((each, n) => each.name === b[n].name && each.sha256 === b[n].sha256);

  /* What says that footage went since. Whoever deletes files can write such a thing: it
     counts where it is about this very record, and signed by its key if the record is. */
  const faultOfDisposal = (record, sha, disposal, signature, given) => {
    if (disposal.incident !== record.incident.id || disposal.record !== sha) return "is about another record";
    if (!record.signed_by && !disposal.signed_by && !given) return "";
    if (!signature) return "is not signed: whoever can write here may have deleted files";
    if (signature.holds === false || signature.id !== disposal.signed_by) return "has a signature that is not its own";
    return given && given !== signature.key ? "is not signed by the key that you were given" : "";
  };
  /* By another key it is in doubt: after a change of the key it is ours, else whose deleted files. */
  const doubtOfDisposal = (record, disposal, given) => !given && record.signed_by && record.signed_by !== disposal.signed_by
    ? `${DISPOSAL} is signed by key ${disposal.signed_by}, not by that of the record: whoever deletes files may have signed it; \`evidenced audit verify\` knows` : "";
  const readDisposal = async (take, record, sha, given, fault, doubt) => {
    const file = take(DISPOSAL), went = new Set();
    if (!file) return went;
    const signed = take(DISPOSAL + SIGNED);
    let disposal, data;
    try {
      if (file.size > MOST_RECORD) throw 0;
      data = await file.arrayBuffer();
      disposal = JSON.parse(new TextDecoder().decode(data));
      if (disposal.format !== "evidenced-disposal" || !(disposal.version <= 1) || !disposal.files.every((each) => typeof each === "string")) throw 0;
    } catch { fault(`${DISPOSAL} is no statement of a disposal, is damaged, or was written by a newer evidenced`); return went; }
    const why = faultOfDisposal(record, sha, disposal, await readSignature(signed, data, await hashed(data)), given);
    if (why) { fault(`${DISPOSAL} ${why}`); return went; }
    const unsure = doubtOfDisposal(record, disposal, given);
    if (unsure) doubt(unsure);
    const what = disposal.place ? `moved to ${disposal.place}` : "disposed of", who = disposal.by === "rule" ? "by rule" : `says ${disposal.by}`;
    line(`footage was ${what} on ${disposal.at}, ${who}${disposal.comment ? `: ${disposal.comment}` : ""}`);
    return new Set(disposal.files);
  };

  const check = async (chosen) => {
    const files = new Map(), top = chosen.length ? chosen[0].webkitRelativePath.split("/")[0] : "";
    for (const file of chosen) files.set(file.webkitRelativePath.split("/").slice(1).join("/"), file);
    const total = Array.from(files.values()).reduce((sum, file) => sum + file.size, 0);
    let done = 0, faults = 0, gone = 0, doubts = 0;
    const tell = (count) => { done += count; of("bar").value = total ? done / total : 1; };
    const fault = (text) => { faults++; line(text, "bad"); };
    const doubt = (text) => { doubts++; line(text, "bad"); };
    const left = new Set(files.keys());
    const take = (name) => { left.delete(name); return files.get(name); };

    const file = take(RECORD);
    if (!file) { fault(RECORD + " is missing: this is not the folder, or its record was taken away"); return { faults, gone, doubts }; }
    if (file.size > MOST_RECORD) { fault(RECORD + " is too large for a record"); return { faults, gone, doubts }; }
    const data = await file.arrayBuffer(), sha = await hashed(data);
    let record;
    try {
      record = JSON.parse(new TextDecoder().decode(data));
      if (!Array.isArray(record.files) || typeof record.page !== "string") throw 0;
      record.stills = record.stills || [];
      if (!Array.isArray(record.stills) || !record.stills.every((each) => each && /^incident\.still-\d{1,9}\.jpg$/.test(each.name))) throw 0;
      if (!record.files.concat(record.stills).every((each) => each && typeof each.name === "string" && typeof each.sha256 === "string")) throw 0;
    } catch { fault(RECORD + " is no evidence record, or it is damaged"); return { faults, gone, doubts }; }
    if (!record.incident || record.incident.id !== said.incident) { fault(RECORD + " is that of another incident than this page"); return { faults, gone, doubts }; }
    if (record.revision !== said.revision || !sameList(record.files, said.files) || !sameList(record.stills, said.stills)) fault("the list of files in " + RECORD + " is not the one of this page: one of them was changed");
    const place = String(record.place || "").split("/").pop();
    if (place && top.toLowerCase() !== place.toLowerCase()) fault(`the record was written for a folder “${place}”, this one is called “${top}”`);

    const signature = await readSignature(take(RECORD + SIGNED), data, sha);
    of("key").textContent = signature ? `key id ${signature.id}, public key ${signature.key}` : "";
    const given = of("given").value.trim();
    if (!record.signed_by) {
      if (signature) fault("the record says that nobody signed it, and a signature lies there");
      else if (given) fault("the record is not signed");
      else line("the record is not signed: whoever could write here could have made it anew");
    } else if (!signature) fault("its signature is missing or unreadable");
    else if (signature.id !== record.signed_by) fault(`the record says that key ${record.signed_by} signed it, not ${signature.id}`);
    else if (signature.holds === false) fault("the signature is not that of this record");
    else {
      if (signature.holds) line(`the signature of the record holds, by key ${signature.id}`, "good");
      else line(`this browser cannot check signatures; key ${signature.id} is said to have signed. \`evidenced verify\` checks it`);
      if (given && given !== signature.key) fault("it is not the key that you were given");
      else if (given) line("it is the key that you were given", "good");
    }

    const went = await readDisposal(take, record, sha, given, fault, doubt);
    for (const each of record.files.concat(record.stills, [{ name: PAGE, sha256: record.page }])) {
      const found = take(each.name), cell = cells.get(each.name);
      if (LITTER.has(each.name.split("/").pop().toLowerCase())) continue;
      let word = went.has(each.name) ? "gone" : "missing";
      if (found) word = await hashFile(found, tell) === each.sha256 ? "the same" : "altered";
      const isFault = word === "missing" || word === "altered";
      if (cell) tellOf(cell, word, isFault ? "bad" : word === "gone" ? "" : "good");
      if (word === "gone") gone++;
      if (isFault) fault(`${word}: ${each.name}`);
    }
    for (let former = record.supersedes, revision = record.revision; former; revision--) {
      if (former.file !== `incident.r${revision - 1}.json`) { fault(`revision ${revision} names another file as the one before it`); break; }
      const found = take(former.file), signed = take(former.file + SIGNED);
      const bytes = found && found.size <= MOST_RECORD ? await found.arrayBuffer() : null;
      if (!bytes || await hashed(bytes) !== former.sha256) { fault(`${found ? "altered" : "missing"}: ${former.file}`); break; }
      const earlier = JSON.parse(new TextDecoder().decode(bytes));
      if (earlier.signed_by && !signed) fault(`missing: ${former.file}${SIGNED}`);
      former = earlier.supersedes;
    }
    const litter = Array.from(left).filter((name) => LITTER.has(name.split("/").pop().toLowerCase()));
    /* What the record calls a link or a pipe cannot be told from a file here: a file is none of it. */
    const others = new Set(record.others || []);
    for (const name of left) if (!litter.includes(name)) fault(`additional: ${name}${others.has(name) ? " (no file when the record was written; `evidenced verify` tells what it is)" : ""}`);
    if (litter.length) line(`left by Windows or macOS, neither evidence nor alteration: ${litter.join(", ")}`);
    return { faults, gone, doubts };
  };

  of("print").hidden = false;
  of("print").addEventListener("click", () => window.print());

  const choose = of("folder");
  if (!("webkitdirectory" in choose)) { of("cannot").hidden = false; return; }
  of("check").hidden = false;
  choose.addEventListener("change", async () => {
    if (!choose.files.length) return;
    of("findings").replaceChildren();
    for (const cell of cells.values()) tellOf(cell, "", "");
    tellOf(of("verdict"), "reading the folder …", "");
    of("bar").hidden = false;
    choose.disabled = true;
    try {
      const { faults, gone, doubts } = await check(Array.from(choose.files));
      const same = gone ? `As the record says: ${gone === 1 ? "one file is" : gone + " files are"} gone, as is written below; what is left is what it was when the record was written.` : `The same: all ${said.files.length} files are what they were when the record was written.`;
      const unsure = `In doubt: ${gone === 1 ? "one file is" : gone + " files are"} gone, and nothing here proves who disposed of ${gone === 1 ? "it" : "them"}; what is left is what it was when the record was written.`;
      const altered = `Altered: ${faults === 1 ? "one thing is not as it was" : faults + " things are not as they were"}.`;
      tellOf(of("verdict"), faults ? altered : doubts ? unsure : same, faults || doubts ? "bad" : "good");
    } catch (error) {
      tellOf(of("verdict"), `The folder could not be read to the end: ${error.message}`, "bad");
    } finally {
      of("bar").hidden = true;
      choose.disabled = false;
      choose.value = "";
    }
  });
})();
