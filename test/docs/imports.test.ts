import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cruise, type IConfiguration, type ICruiseOptions } from 'dependency-cruiser'
import { afterEach, expect, it } from 'vitest'

const table = new URL('../../.dependency-cruiser.mjs', import.meta.url).href
const { default: config } = (await import(table)) as { default: IConfiguration }

const folder = mkdtempSync(join(tmpdir(), 'targon-imports-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Names of the rules that a tree of these files breaks. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const options: ICruiseOptions = {
    ...config.options,
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden: config.forbidden ?? [] },
  }
  const { output } = await cruise(['src'], options)
  if (typeof output === 'string') throw new Error(output)
  return output.summary.violations.map(({ rule }) => rule.name)
}

it('accepts an import that the table allows', async () => {
  expect(
    await brokenRules({
      'src/epistula/index.ts': "import type { Signer } from '../wallet/index.js'\nexport type A = Signer\n",
      'src/wallet/index.ts': 'export type Signer = string\n',
    }),
  ).toEqual([])
})

it.each([
  ['a module that imports a role', 'src/wallet/index.ts', '../roles/index.js', 'src/roles/index.ts'],
  [
    'one role that imports another',
    'src/roles/miner/index.ts',
    '../query/index.js',
    'src/roles/query/index.ts',
  ],
  [
    'a role that imports localnet',
    'src/roles/miner/index.ts',
    '../../localnet/index.js',
    'src/localnet/index.ts',
  ],
  ['a file behind a door', 'src/epistula/index.ts', '../wallet/key-file.js', 'src/wallet/key-file.ts'],
])('refuses %s, a type included', async (_, from, specifier, to) => {
  const broken = await brokenRules({
    [from]: `import type { A } from '${specifier}'\nexport type B = A\n`,
    [to]: 'export type A = string\n',
  })
  expect(broken).toHaveLength(1)
})

it('refuses a circle of type imports', async () => {
  const broken = await brokenRules({
    'src/chain/a.ts': "import type { B } from './b.js'\nexport type A = B\n",
    'src/chain/b.ts': "import type { A } from './a.js'\nexport type B = A\n",
  })
  expect(broken).toContain('no circles, types included')
})
