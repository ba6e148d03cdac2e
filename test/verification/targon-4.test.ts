import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Checker } from '../conformance/checker.js'
import { checker as logprobs } from '../conformance/checkers/verify-logprobs.js'
import { checker as random } from '../conformance/checkers/verify-random.js'
import { checker as request } from '../conformance/checkers/verify-request.js'

const folder = process.env.TARGON_CONFORMANCE_DIR ?? ''

describe.each([logprobs, random, request])(
  'targon-4 rules against $vectors (needs TARGON_CONFORMANCE_DIR)',
  (checker: Checker) => {
    const path = join(folder, 'vectors', `${checker.vectors}.json`)
    it.skipIf(folder === '' || !existsSync(path))('agrees with every recorded case of 4.4.1', async () => {
      const file = JSON.parse(readFileSync(path, 'utf8'))
      const differences: string[] = []
      for (const testCase of file.cases) {
        const finding = await checker.check(testCase, file)
        if (!finding.agrees && !finding.explainedBy) differences.push(`${testCase.id}: ${finding.detail}`)
      }
      expect(differences).toEqual([])
      expect(file.cases.length).toBeGreaterThan(0)
    })
  },
)
