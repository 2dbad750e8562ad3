import type { Egress } from '../ports/egress.ts';

/** Ways out that are opened when they are first needed, once; a failure is not kept. Disposing closes them, opened or not. */
export class OnceEgress implements AsyncDisposable {
  readonly #make: () => Promise<Egress>;
  #opening: Promise<Egress> | undefined;
  #isOver = false;

  constructor(make: () => Promise<Egress>) {
    this.#make = make;
  }

  open(): Promise<Egress> {
    if (this.#isOver) return Promise.reject(new Error('the ways out of this sandbox are closed'));
    this.#opening ??= this.#make().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}
