using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Ash.Server.Storage;

internal sealed class UnixMillisecondsConverter() : ValueConverter<DateTimeOffset, long>(
    at => at.ToUnixTimeMilliseconds(),
    milliseconds => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
