import { expect, test } from 'vitest';
import { createTestDatabase } from '../testing/test-database.ts';
test('x', async () => { await using db = await createTestDatabase(); expect((await db.query('select 1 as a'))).toEqual([{a:1}]); });
