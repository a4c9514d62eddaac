namespace Ash.Server.Http;

/// <summary>Of an operation that can answer with the bytes of a file, whatever else it answers: they are sent as they are.</summary>
internal sealed class RawBytesMetadata;
