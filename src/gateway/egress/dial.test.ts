import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerOf, heardFrom, openedEgress, tunnelTo } from './fixture/egress-fixture.ts';
import { egressTo, good, type TestHosts, testHosts } from './fixture/test-hosts.ts';

let hosts: TestHosts;
let plain: TestHosts['plain'];
let echo: TestHosts['echo'];

beforeAll(async () => {
  hosts = await testHosts();
  ({ plain, echo } = hosts);
});

afterAll(() => hosts[Symbol.asyncDispose]());

describe('names that lead to addresses which are not public', () => {
  test('are refused though the name is allowed', async () => {
    await using opened = await egressTo([good(plain)], []);
    expect((await tunnelTo(opened.socketOf(), good(plain))).status).toBe(403);
    const text = `GET http://${good(plain)}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    expect(await answerOf(opened.socketOf(), text)).toMatch(/^HTTP\/1.1 403/);
    expect(opened.refused).toEqual([`${good(plain)}, which leads to 127.0.0.1`]);
  });

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::ffff:127.0.0.1]'])(
    'are reached by their number where this machine names it too, as %s',
    async (spelling) => {
      const own = [`127.0.0.1:${echo.port}`];
      await using opened = await egressTo(own, own);
      const { status, socket } = await tunnelTo(opened.socketOf(), `${spelling}:${echo.port}`);
      socket.end('hello');
      expect([status, await heardFrom(socket)]).toEqual([200, 'hello']);
    },
  );

  test('are refused by their number too where only a run allows it', async () => {
    await using opened = await egressTo([`127.0.0.1:${echo.port}`], []);
    expect((await tunnelTo(opened.socketOf(), `127.0.0.1:${echo.port}`)).status).toBe(403);
    expect(opened.refused.join()).toContain('127.0.0.1');
  });

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])(
    'and %s is refused where it is not',
    async (spelling) => {
      await using opened = await egressTo([good(echo)]);
      expect((await tunnelTo(opened.socketOf(), `${spelling}:${echo.port}`)).status).toBe(403);
    },
  );

  test('are left out where a name leads to public ones too', async () => {
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return ['127.0.0.1', '240.0.0.1'];
    };
    await using opened = await openedEgress({ hosts: [good(echo)] }, { resolve });
    expect((await tunnelTo(opened.socketOf(), good(echo))).status).toBe(403);
    expect(asked).toEqual(['good.test']);
  });

  test('a name is looked up once: what was checked is what is connected to', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2']];
    const resolve = async () => answers.shift() ?? [];
    await using opened = await openedEgress({ hosts: [good(echo)] }, { resolve, trusted: () => [good(echo)] });
    expect((await tunnelTo(opened.socketOf(), good(echo))).status).toBe(200);
    expect(answers).toHaveLength(1);
  });
});

test('what cannot be reached is said', async () => {
  const resolve = async (name: string) => {
    if (name === 'good.test') return ['127.0.0.1'];
    throw Object.assign(new Error('secret detail'), { code: 'ENOTFOUND' });
  };
  await using opened = await openedEgress(
    { hosts: ['good.test:1', 'nowhere.test'] },
    { resolve, trusted: () => ['good.test:1'] },
  );
  const connectTo = (target: string) => answerOf(opened.socketOf(), `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await connectTo('good.test:1')).toMatch(/^HTTP\/1.1 502[^]*good.test:1 cannot be reached: ECONNREFUSED/);
  expect(await connectTo('nowhere.test:443')).toMatch(/^HTTP\/1.1 502[^]*nowhere.test cannot be found: ENOTFOUND/);
  expect(opened.refused).toEqual([]);
});
