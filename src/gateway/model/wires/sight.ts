import { type ModelTokens, NO_TOKENS } from '../../../domain/model-call.ts';
import type { Seen, UsedElsewhere } from '../wire.ts';
import { text } from './fields.ts';
import { tierIn } from './tier.ts';

/** What has been seen of one answer, as it is being read. What an upstream says at length is kept in short. */
export class Sight {
  tokens: ModelTokens | undefined;
  isWhole = false;
  produced = 0;
  elsewhere: readonly UsedElsewhere[] | undefined;
  #tier: string | undefined;
  #model: string | undefined;
  #error: Seen['error'];

  /** The last one that was named counts. */
  named(model: unknown): void {
    this.#model = text(model)?.slice(0, LONGEST_NAME) ?? this.#model;
  }

  /** The last tier of service that was named counts. */
  served(tier: unknown): void {
    this.#tier = tierIn(tier) ?? this.#tier;
  }

  /**
   * The upstream says that something went wrong. That is not its last word on what was used, so the answer is not whole, unless nothing has been
   * used: where it has neither produced nor counted anything before.
   */
  failed({ type, message }: { readonly type: unknown; readonly message: unknown }): void {
    this.#error ??= {
      type: text(type)?.slice(0, LONGEST_NAME),
      message: text(message)?.slice(0, LONGEST_MESSAGE) ?? text(type)?.slice(0, LONGEST_NAME) ?? 'no reason was given',
    };
    if (this.tokens !== undefined || this.produced > 0) return;
    this.tokens = NO_TOKENS;
    this.isWhole = true;
  }

  get seen(): Seen {
    const { tokens, elsewhere, isWhole, produced } = this;
    return { model: this.#model, tokens, elsewhere, tier: this.#tier, isWhole, produced, error: this.#error };
  }
}

const LONGEST_NAME = 200;
const LONGEST_MESSAGE = 2000;
