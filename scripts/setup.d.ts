export declare const root: string;
export declare function install(folder: string): void;
