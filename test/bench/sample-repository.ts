import { type TempRepository, tempRepository } from '../../src/testing/temp-repository.ts';

/** A person's repository of so many source files of fifty lines, in 25 folders, with the Switchyard files that are given by their paths. */
export async function sampleRepository(
  count: number,
  switchyard: Readonly<Record<string, string>>,
): Promise<TempRepository> {
  const sources = Array.from(
    { length: count },
    (_, n) => [`src/module-${n % 25}/file-${n}.txt`, `${'line\n'.repeat(50)}${n}\n`] as const,
  );
  const own = Object.entries(switchyard).map(([path, text]) => [`.switchyard/${path}`, text] as const);
  return tempRepository(Object.fromEntries([...sources, ...own]));
}
