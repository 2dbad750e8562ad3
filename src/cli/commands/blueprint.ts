import { resolve } from 'node:path';
import type { ResponseOf } from '../../api/routes.ts';
import { counted } from '../../lib/counted.ts';
import { printable, printableLine } from '../../lib/printable.ts';
import { connect } from '../connect.ts';
import type { CommandContext } from '../context.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { fromFolder } from '../from-folder.ts';
import { print } from '../print.ts';
import { messageLines } from '../render/event.ts';
import { paint, type Style } from '../render/style.ts';
import { table } from '../render/table.ts';

interface Options {
  readonly json?: boolean;
  readonly server?: string;
}

export async function blueprintLs(context: CommandContext, options: Options): Promise<number> {
  const { client } = await connect(context, options);
  const { answer: blueprints } = await fromFolder(context.cwd, (place) => client.call('listBlueprints', place));
  return print(context, options, blueprints, (rows, style) =>
    table(
      [
        ['NAME', 'FROM', 'SUMMARY'],
        ...rows.map(({ name, source, summary }) => [printableLine(name), source, printableLine(summary)]),
      ],
      style,
      {
        shrink: [[2, 8]],
        paint: (cell, row) => (row === 0 ? paint(style, 'dim', cell) : cell),
      },
    ),
  );
}

export async function blueprintShow(
  context: CommandContext,
  options: Options & { readonly name: string },
): Promise<number> {
  const { client } = await connect(context, options);
  const { answer: view } = await fromFolder(context.cwd, (place) =>
    client.call('showBlueprint', place, { name: options.name }),
  );
  return print(context, options, view, ({ name, file, text, drawing }, style) => [
    `${paint(style, 'bold', printableLine(name))}  ${paint(style, 'dim', printableLine(file))}`,
    '',
    ...printable(drawing).trimEnd().split('\n'),
    '',
    ...printable(text).trimEnd().split('\n'),
  ]);
}

/** Exit code 1 when the blueprint has problems. */
export async function blueprintCheck(
  context: CommandContext,
  options: Options & { readonly file: string },
): Promise<number> {
  const { client } = await connect(context, options);
  const file = resolve(context.cwd, options.file);
  const { answer: checked } = await fromFolder(context.cwd, (place) =>
    client.call('checkBlueprint', { file, ...place }),
  );
  print(context, options, checked, drawChecked);
  return checked.ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function drawChecked({ ok, problems, notes }: ResponseOf<'checkBlueprint'>, style: Style): string[] {
  return [
    ...problems.flatMap(({ file, line, column, message, hint }) => [
      `${[printableLine(file), line, column].filter((part) => part !== undefined).join(':')}: ${printableLine(message)}`,
      ...(hint === undefined ? [] : [paint(style, 'dim', `  ${printableLine(hint)}`)]),
    ]),
    ...notes.flatMap((note) => messageLines('info', note, style)),
    ok ? paint(style, 'green', 'No problems.') : paint(style, 'red', `${counted(problems.length, 'problem')}.`),
  ];
}
