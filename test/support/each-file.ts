import { afterAll, inject } from 'vitest'
import { runCompiledThreads } from '../../src/kernel/worker-thread.js'
import { silencePolkadot } from './silence-polkadot.js'
import { removeTemporaryFolders } from './temporary-folder.js'

// Runs for each test file, also where files share modules; what is registered first is called last.
afterAll(removeTemporaryFolders)
silencePolkadot()
runCompiledThreads(inject('compiledSource'))
