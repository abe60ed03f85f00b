import { createHmac } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The bytes of a text in base32 (RFC 4648), spaces left out. */
function base32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of text.replace(/\s/g, '')) {
    bits = ((bits << 5) | LETTERS.indexOf(letter)) & 0xffff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes.push((bits >> held) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

/** An authenticator app: RFC 6238 with SHA-1, six digits and 30 seconds. It never says a code twice, as each counts once. */
export class Authenticator {
  private last = 0;

  /** With the key that stands on the page. */
  constructor(private readonly key: string) {}

  private at(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac('sha1', base32(this.key)).update(counter).digest();
    const from = mac[19] & 0xf;
    return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  }

  /** A code that is right now and was not said before; waits for it if need be. The server takes the next step's already. */
  async code(): Promise<string> {
    const now = () => Math.floor(Date.now() / 30_000);
    const step = Math.max(this.last + 1, now());
    while (step > now() + 1) await new Promise(resolve => setTimeout(resolve, 500));
    this.last = step;
    return this.at(step);
  }
}
