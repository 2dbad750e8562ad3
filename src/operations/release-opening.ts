import type { OperationContext } from './operations.ts';

/** Closes what an opening held beside its run, once nothing of the person's runs in the workspace. Done already is fine. */
export async function releaseOpening({ heldByOpenings }: OperationContext, opening: string): Promise<void> {
  const held = heldByOpenings.get(opening);
  heldByOpenings.delete(opening);
  await held?.[Symbol.asyncDispose]();
}
