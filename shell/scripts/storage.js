// Values that outlive a page, in IndexedDB: sites clear their localStorage more often.

const databaseName = "gruppetto-tunnel";
const storeName = "values";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(databaseName, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(storeName);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} action
 * @returns {Promise<T | undefined>} undefined where the browser stores nothing
 */
async function run(mode, action) {
  try {
    const database = await open();
    return await new Promise((resolve, reject) => {
      const request = action(database.transaction(storeName, mode).objectStore(storeName));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    }).finally(() => database.close());
  } catch {
    return undefined;
  }
}

/** @param {string} key @returns {Promise<any>} */
export function load(key) {
  return run("readonly", (store) => store.get(key));
}

/** @param {string} key @param {any} value */
export function save(key, value) {
  return run("readwrite", (store) => store.put(value, key));
}

/** @param {string} key */
export function remove(key) {
  return run("readwrite", (store) => store.delete(key));
}
