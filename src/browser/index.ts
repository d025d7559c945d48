export { type ChosenFile, chosenFolder, type ChosenFolderOptions } from "./chosen-folder.js";
export { loadModel, type LoadModelOptions } from "./model.js";
export {
  createPause,
  followVisibility,
  pausable,
  type PausableOptions,
  type Pause,
  type VisiblePage,
} from "./pause.js";
export {
  browserPlatform,
  type BrowserPlatformOptions,
  type BrowserReport,
  startInBrowser,
  type StartInBrowserOptions,
} from "./start.js";
export {
  removeStoredModel,
  type StorageOptions,
  storedFolder,
  type StoredModel,
  storedModels,
  storeFolder,
  storeModel,
} from "./storage.js";
export type { StorageFile, StorageFolder, StorageNavigator } from "./storage-handles.js";
export { type LoadProgress, urlFolder, type UrlFolderOptions } from "./url-folder.js";
export {
  zipFiles,
  zipFolder,
  type ZipFolderOptions,
  zipModel,
  type ZipModelOptions,
} from "./zip.js";
