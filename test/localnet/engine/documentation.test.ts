import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { behaviourOf, FAULT_SUMMARIES } from '../../../src/localnet/engine/behaviour/index.js'
import {
  BEHAVIOURS,
  DEVELOPMENT_MODELS,
  ENGINE_FAULTS,
  loadTokenizer,
} from '../../../src/localnet/engine/index.js'

describe('docs/development/development-engine.md', () => {
  it('describes every behaviour, fault and model', async () => {
    const page = await readFile('docs/development/development-engine.md', 'utf8')
    for (const name of BEHAVIOURS) expect(page).toContain(`| \`${name}\` | ${behaviourOf(name).summary} |`)
    for (const fault of ENGINE_FAULTS) expect(page).toContain(`| \`${fault}\` | ${FAULT_SUMMARIES[fault]} |`)
    for (const model of DEVELOPMENT_MODELS) expect(page).toContain(`\`${model}\``)
    expect(page).toContain(`${loadTokenizer().size.toLocaleString('en')} ids`)
  })
})
