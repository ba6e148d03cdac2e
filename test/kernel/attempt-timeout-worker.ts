import { getDefaultAutoSelectFamilyAttemptTimeout } from 'node:net'
import { parentPort } from 'node:worker_threads'

parentPort?.postMessage(getDefaultAutoSelectFamilyAttemptTimeout())
