import type { Carrier } from './carrier.ts';
import { fail } from './fail.ts';
import { type Forwarding, forward } from './forward.ts';
import type { Price } from './price-of-call.ts';
import { jsonOf } from './request-body.ts';

/** Sends a request on in the form that the upstream wants, as far as the upstream has something for it. `path` is below the base address. */
export async function forwardCarried(forwarding: Forwarding, carrier: Carrier, path: string): Promise<void> {
  const { request, response, url: target, body: given, isRewritten = false, model, price } = forwarding;
  const read = await jsonOf(given, isRewritten ? undefined : request.headers['content-encoding']);
  const onward = carrier.onward({ path, headers: request.headers, body: read?.json ?? {} });
  if (onward !== undefined) {
    const { url, body } = onward;
    return forward({ ...forwarding, url, body, onward, price: priceByNames(carrier, price, model) });
  }
  // Clients look so whether somebody is there: nothing to tell anybody of.
  fail(forwarding, response, {
    status: 404,
    kind: 'refused',
    message: `${target.host} has nothing like ${path}, or no such model.`,
  });
}

/** Where a cloud's name for a model has no price, its plain name may, else the model that was asked for. */
function priceByNames(carrier: Carrier, price: Price, asked: string | undefined): Price {
  return (model, tokens, tier) => {
    for (const name of [model, asked ?? model].flatMap((one) => [one, carrier.plainName(one)])) {
      const cost = price(name, tokens, tier);
      if (cost !== undefined) return cost;
    }
    return undefined;
  };
}
