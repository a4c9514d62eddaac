using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Ash.Server.Storage.Sqlite;

internal sealed class GuidBytesConverter() : ValueConverter<Guid, byte[]>(
    id => id.ToByteArray(true),
    bytes => new Guid(bytes, true));
