import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from '@swc/core'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.js'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** Runs a program in a Node.js that says it is this version. */
function runIn(version: string, path: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  const options = ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`]
  const env = { PATH: process.env.PATH, HOME: temporaryFolder('old-node') }
  return spawnSync(process.execPath, [...options, fileURLToPath(new URL(path, root)), '--version'], {
    env,
    encoding: 'utf8',
  })
}

/** All nodes of a syntax tree, with whether a function surrounds them. */
function* nodesOf(
  value: unknown,
  isInside = false,
): Generator<{ type: string; operator: string; isInside: boolean }> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value && typeof value.type === 'string')
    yield {
      type: value.type,
      operator: 'operator' in value ? String(value.operator) : '',
      isInside,
    }
  const isFunction = 'type' in value && /Function|Method/.test(String(value.type))
  for (const member of Object.values(value)) yield* nodesOf(member, isInside || isFunction)
}

describe.each(['bin/run.js', 'deploy/launcher.mjs'])('%s', (path) => {
  it.each(['18.19.1', '20.18.3', '16.20.2'])(
    'refuses Node.js %s with one sentence and status 78',
    (version) => {
      const { status, stdout, stderr } = runIn(version, path)
      expect(stderr).toMatch(/^[^\n]+needs Node\.js 20\.19 or newer, and this is [\d.]+ \([^\n]+\n$/)
      expect({ status, stdout }).toEqual({ status: 78, stdout: '' })
    },
  )

  it('names the version that package.json asks for', () => {
    expect(JSON.parse(read('package.json')).engines.node).toBe('>=20.19')
    expect(read(path)).toContain('major === 20 && minor ')
  })

  it('has only syntax that Node.js 12 reads', () => {
    const nodes = [...nodesOf(parseSync(read(path), { syntax: 'ecmascript', target: 'es2022' }))]
    expect(nodes.length).toBeGreaterThan(20)
    const newer = nodes.filter(
      ({ type, operator, isInside }) =>
        type === 'OptionalChainingExpression' ||
        type === 'PrivateName' ||
        type === 'StaticBlock' ||
        ['??', '??=', '||=', '&&='].includes(operator) ||
        (type === 'AwaitExpression' && !isInside),
    )
    expect(newer).toEqual([])
    expect(read(path)).not.toMatch(/\d_\d/)
  })
})
