import { afterAll, describe, expect, test } from 'vitest'
import { startFakeMiner } from '../support/fake-miner.js'
import { startHubRig } from '../support/hub-rig.js'
import { needsPythonClient, runPython } from '../support/python-clients.js'
import { removeTemporaryFolders, temporaryFolder } from '../support/temporary-folder.js'

const TIMEOUT_MS = 120_000
const MODEL = 'org/model'
const TEXT = ' w1 w2 w3 w4 w5'

afterAll(removeTemporaryFolders)

describe('the openai package of Python', () => {
  needsPythonClient('openai')

  test('gets streamed and whole answers of a hub, and its errors', { timeout: TIMEOUT_MS }, async () => {
    const miner = await startFakeMiner({ models: [MODEL] })
    const hub = await startHubRig([{ port: miner.port }])
    try {
      const result = await runPython({
        ...{ version: 'openai', script: 'openai_users.py', timeoutMs: TIMEOUT_MS },
        ...{ arguments: [hub.url, 'sk-good', MODEL], home: temporaryFolder('openai') },
      })
      expect(result).toEqual({
        ...{ models: [MODEL], streamed: TEXT, whole: TEXT, completion: TEXT },
        ...{ verified: 'pending', refused: [404, 'model_not_found'] },
      })
    } finally {
      await hub.close()
      await miner.close()
    }
  })
})
