using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

[OptionsValidator]
internal sealed partial class BrokerOptionsValidator : IValidateOptions<BrokerOptions>;
