// Loads bundles in the place of the TypeScript files that they are made of, and finds packages in NODE_PATH, where layers are and where
// Lambda has the AWS SDK: as on Lambda for import too. It runs on the thread of Node's module hooks.

import path from 'node:path';
import { pathToFileURL } from 'node:url';

const sources = new Map(); // by URL
let places = []; // of NODE_PATH

export function initialize(data) {
  places = data.places.split(path.delimiter).filter((place) => path.basename(place) === 'node_modules');
  data.port.on('message', ({ url, code }) => {
    sources.set(url, code);
    data.port.postMessage('received');
  });
  data.port.unref();
}

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (e) {
    if (e.code !== 'ERR_MODULE_NOT_FOUND' || /^[./#]|:/.test(specifier)) throw e;
    for (const place of places) {
      try {
        return await nextResolve(specifier, { ...context, parentURL: pathToFileURL(path.join(path.dirname(place), '_')).href });
      } catch {
        // it is not there
      }
    }
    throw e;
  }
}

export async function load(url, context, nextLoad) {
  const source = sources.get(url);
  if (source === undefined) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source };
}
