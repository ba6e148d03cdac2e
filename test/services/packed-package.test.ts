import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { inheritableEnvironment } from '../../src/config/index.js'
import { copyCheckout } from '../support/checkout-copy.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const app = temporaryFolder('packed')
const env = { ...inheritableEnvironment(), NO_COLOR: '1', NPM_CONFIG_UPDATE_NOTIFIER: 'false' }
const manifest = { name: 'app', private: true, type: 'module' }

interface Printed {
  readonly stdout: string
  readonly failed: boolean
}

function run(cwd: string, command: string, ...args: string[]): Printed {
  try {
    return {
      stdout: execFileSync('sh', ['-c', 'exec "$@" 2>&1', 'sh', command, ...args], {
        cwd,
        env,
        encoding: 'utf8',
      }),
      failed: false,
    }
  } catch (error) {
    return {
      stdout: error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error),
      failed: true,
    }
  }
}

/** Packs a copy of this repository, because packing builds it and changes its package.json for a moment. */
function pack(): string {
  const copy = join(app, 'repository')
  copyCheckout(copy)
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const before = readFileSync(join(copy, 'package.json'), 'utf8')
  const { stdout, failed } = run(copy, 'npm', 'pack', '--silent', '--pack-destination', app)
  if (failed) throw new Error(`npm pack failed: ${stdout}`)
  expect(readFileSync(join(copy, 'package.json'), 'utf8')).toBe(before)
  const file = readdirSync(app).find((name) => name.endsWith('.tgz'))
  if (file === undefined) throw new Error(`npm pack wrote no tarball: ${stdout}`)
  return join(app, file)
}

/** A program that uses every export of a door: types as types, values as values. */
function usesOf(specifier: string, door: string): string {
  const text = readFileSync(join(root, 'src', door), 'utf8')
  const lists = [...text.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, names = '']) =>
    names
      .split(',')
      .map((name) => `${type ?? ''}${name.trim()}`)
      .filter((name) => !/^(type )?$/.test(name)),
  )
  const functions = [...text.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name]) => name ?? '')
  const names = [...lists, ...functions]
  expect(names.length).toBeGreaterThan(10)
  const prefix = door.replace(/\W/g, '_')
  return names
    .map((name) => {
      const plain = name.replace('type ', '')
      return name.startsWith('type ')
        ? `import type { ${plain} as ${prefix}_${plain} } from '${specifier}'\nexport declare const of_${prefix}_${plain}: ${prefix}_${plain}\n`
        : `import { ${plain} as ${prefix}_${plain} } from '${specifier}'\nexport const of_${prefix}_${plain}: unknown = ${prefix}_${plain}\n`
    })
    .join('')
}

describe('the packed package', () => {
  let installed: Printed

  beforeAll(() => {
    writeFileSync(join(app, 'package.json'), JSON.stringify(manifest))
    installed = run(app, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', pack())
  }, 600_000)

  beforeEach(({ skip }) => {
    if (installed.failed && /EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/.test(installed.stdout))
      skip(`the package registry is unreachable: ${installed.stdout.slice(0, 200)}`)
  })

  it('installs without a warning', () => {
    expect(installed.stdout).toMatch(/^\s*added \d+ packages in \S+\s*$/)
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])(
    'declares types that compile under strict with module %s, resolution %s',
    (module, moduleResolution) => {
      const options = {
        target: 'es2023',
        lib: ['es2023'],
        module,
        moduleResolution,
        strict: true,
        skipLibCheck: false,
        noEmit: true,
      }
      writeFileSync(
        join(app, 'tsconfig.json'),
        JSON.stringify({ compilerOptions: options, files: ['use.ts'] }),
      )
      writeFileSync(
        join(app, 'use.ts'),
        usesOf('targon', 'index.ts') + usesOf('targon/chain', 'chain-library.ts'),
      )
      expect(run(app, process.execPath, compiler, '-p', '.')).toEqual({ stdout: '', failed: false })
    },
    120_000,
  )

  it('loads both doors and runs the command', () => {
    const program = `const a = await import('targon'); const b = await import('targon/chain')
      console.log(typeof a.minerClient, typeof b.connectSubtensor, a.TargonError.name); process.exit()`
    expect(run(app, process.execPath, '--input-type=module', '-e', program).stdout).toBe(
      'function function TargonError\n',
    )
    expect(run(app, join('node_modules', '.bin', 'targon'), '--version').stdout).toMatch(/^targon\/\d/)
  })
})
