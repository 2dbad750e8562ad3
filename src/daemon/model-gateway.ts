import { createModelGateway, type ModelGateway } from '../gateway/model/gateway.ts';
import { priceOf, shippedPrices, withOwnPrices } from '../gateway/model/price.ts';
import { systemClock } from '../lib/clock.ts';
import type { Home } from '../lib/home.ts';
import { randomIds } from '../lib/ids.ts';
import type { MachineSettings } from './machine-settings.ts';

/** This machine's gateway to models: prices are those that come with this version, and what its owner says now. */
export async function modelGateway({
  home,
  env,
  machine,
  secrets,
}: {
  home: Home;
  env: Readonly<Record<string, string | undefined>>;
  machine: MachineSettings;
  /** Of all repositories, with their values. */
  secrets: () => Promise<Readonly<Record<string, string>>>;
}): Promise<ModelGateway> {
  const shipped = await shippedPrices();
  let known = { own: machine.current.prices, table: withOwnPrices(shipped, machine.current.prices) };
  return createModelGateway({
    folder: home.sockets,
    hostEnv: env,
    secrets,
    price(model, tokens, tier) {
      const own = machine.current.prices;
      if (own !== known.own) known = { own, table: withOwnPrices(shipped, own) };
      return priceOf(known.table, model, tokens, tier)?.cost;
    },
    clock: systemClock,
    ids: randomIds,
  });
}
