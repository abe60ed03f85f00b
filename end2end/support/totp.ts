import { createHmac } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Decodes base32 (RFC 4648), ignoring spaces. */
function base32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text.replace(/\s/g, '')) {
    bits = ((bits << 5) | ALPHABET.indexOf(character)) & 0xffff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes.push((bits >> held) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

/** An authenticator app (RFC 6238: SHA-1, six digits, 30 s). It never returns a code twice, because the server accepts each code once. */
export class Authenticator {
  private last = 0;

  /** Takes the key of the page. */
  constructor(private readonly key: string) {}

  private codeAt(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac('sha1', base32(this.key)).update(counter).digest();
    const from = mac[19] & 0xf;
    return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  }

  /** Returns an unused valid code, and waits for one if necessary. The server already accepts the code of the next step. */
  async code(): Promise<string> {
    const now = () => Math.floor(Date.now() / 30_000);
    const step = Math.max(this.last + 1, now());
    while (step > now() + 1) await new Promise(resolve => setTimeout(resolve, 500));
    this.last = step;
    return this.codeAt(step);
  }
}
