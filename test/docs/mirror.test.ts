import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const MIN_LINES = 80

const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.ts'),
)
const doors = paths.filter((path) => path.endsWith('/index.ts'))

/** The comment that opens a door. */
function openingComment(door: string): string {
  return /^\/\*\*[\s\S]*?\*\//.exec(readFileSync(join(root, 'src', door), 'utf8'))?.[0] ?? ''
}

/** Test files a door lists by behaviour, with the source files each covers: `faults.test.ts (session.ts, rpc.ts)`. */
function listedTests(door: string): { readonly test: string; readonly covers: readonly string[] }[] {
  const text = openingComment(door).replaceAll(/\n \* ?/g, ' ')
  return [...text.matchAll(/([\w./-]+\.test\.ts) \(([^)]+)\)/g)].map(([, test = '', covers = '']) => ({
    test,
    covers: covers.split(',').map((name) => name.trim()),
  }))
}

function hasNamesake(path: string): boolean {
  const stem = join(root, 'test', path.replace(/\.ts$/, ''))
  return ['.test.ts', '.property.test.ts', '.simulation.test.ts'].some((ending) => existsSync(stem + ending))
}

function isListed(path: string): boolean {
  return doors.some((door) => {
    const folder = dirname(door)
    return (
      path.startsWith(`${folder}/`) &&
      listedTests(door).some(({ covers }) => covers.includes(relative(folder, path)))
    )
  })
}

describe('tests mirror the source', () => {
  it(`finds a test for every source file of ${MIN_LINES} lines or more, by name or listed in a door's comment`, () => {
    const long = paths.filter(
      (path) =>
        !path.endsWith('index.ts') &&
        readFileSync(join(root, 'src', path), 'utf8').split('\n').length > MIN_LINES,
    )
    expect(long.length).toBeGreaterThan(100)
    expect(long.filter((path) => !hasNamesake(path) && !isListed(path))).toEqual([])
  })

  it.each(doors)('%s lists only files that exist', (door) => {
    const folder = dirname(door)
    const missing = listedTests(door).flatMap(({ test, covers }) => [
      ...(existsSync(join(root, 'test', folder, test)) ? [] : [test]),
      ...covers.filter((path) => !existsSync(join(root, 'src', folder, path))),
    ])
    expect(missing).toEqual([])
  })

  it.each(doors)('%s says what its folder is for', (door) => {
    expect(openingComment(door)).not.toBe('')
  })
})
